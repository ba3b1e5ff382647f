/** The one way to the server: its public API, typed from its own OpenAPI document. */
import createClient, { type Middleware } from "openapi-fetch";

import type { components, paths } from "./schema";
import { ApiError, NetworkError, type Problem } from "./errors";
import { inWords } from "./refusals";
import { CLIENT, sessionEnded } from "@/app/auth";
import { PREFIX } from "@/app/prefix";
import { connection } from "@/live/connection";

export type Schemas = components["schemas"];

const VERSION_2 = "application/json;version=2";

const telling: Middleware = {
  onRequest({ request }) {
    if (!request.headers.has("Accept") || request.headers.get("Accept") === "*/*") {
      request.headers.set("Accept", VERSION_2);
    }
    return request;
  },
  async onResponse({ response, request }) {
    connection.reached();
    if (response.ok) return undefined;
    const error = await asError(response, request);
    // A wrong password in a form of the page ends no session.
    if (response.status === 401 && !error.has("SIGN_IN_FAILED")) sessionEnded();
    throw error;
  },
  onError({ error }) {
    if (error instanceof DOMException && error.name === "AbortError") return undefined;
    connection.lost();
    return new NetworkError();
  },
};

async function asError(response: Response, request: Request): Promise<ApiError> {
  let problems: readonly Problem[] = [];
  let fingerprint: string | undefined;
  try {
    const body = (await response.json()) as { fingerprint?: string; errors?: Problem[] };
    problems = await inWords(body.errors ?? []);
    fingerprint = body.fingerprint;
  } catch {
    // A proxy's own page: its status says enough.
  }
  const { pathname } = new URL(request.url);
  return new ApiError(response.status, problems, fingerprint, `${request.method} ${pathname.slice(PREFIX.length)}`);
}

export const api = createClient<paths>({ baseUrl: location.origin + PREFIX, credentials: "same-origin", headers: CLIENT });
api.use(telling);

/** What an answer holds; a failed call has thrown already. */
export async function got<T>(answer: Promise<{ data?: T }>): Promise<T> {
  const { data } = await answer;
  return data as T;
}

/** A key that makes a repeated POST harmless. */
export function idempotencyKey(): string {
  return crypto.randomUUID();
}
