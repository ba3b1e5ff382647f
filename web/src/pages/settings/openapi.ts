/** The API's own document, as far as a page needs it to show a call and to make it. */
import { queryOptions } from "@tanstack/react-query";

import { ApiError } from "@/api/errors";
import { CLIENT } from "@/app/auth";
import { under } from "@/app/prefix";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
const METHODS: readonly Method[] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
const DEEPEST = 6;

export interface Schema {
  $ref?: string;
  type?: string | string[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  examples?: unknown[];
  example?: unknown;
  default?: unknown;
  format?: string;
  description?: string;
  additionalProperties?: boolean | Schema;
}

export interface Parameter {
  name: string;
  in: "path" | "query" | "header";
  required?: boolean;
  description?: string;
  schema?: Schema;
}

interface Told {
  operationId?: string;
  summary?: string;
  description?: string;
  tags?: string[];
  deprecated?: boolean;
  parameters?: Parameter[];
  requestBody?: { required?: boolean; content?: Record<string, { schema?: Schema }> };
  "x-permission"?: string;
}

export interface Document {
  paths: Record<string, Record<string, Told>>;
  components?: { schemas?: Record<string, Schema> };
}

/** One call of the API. */
export interface Operation {
  id: string;
  method: Method;
  path: string;
  summary: string;
  description: string;
  group: string;
  deprecated: boolean;
  permission: string | undefined;
  parameters: readonly Parameter[];
  /** The media types that a body may have, with what it is; none where there is no body. */
  bodies: readonly { type: string; schema: Schema | undefined }[];
  bodyRequired: boolean;
}

/** The document with the workspace's own tables: whoever has signed in gets that one. */
export const documentQuery = (workspaceId: string) =>
  queryOptions({
    queryKey: ["settings", "openapi", workspaceId],
    staleTime: 60_000,
    queryFn: async (): Promise<Document> => {
      const answer = await fetch(under("/openapi.json?version=2"), { headers: { ...CLIENT, Accept: "application/json;version=2" }, credentials: "same-origin" });
      if (!answer.ok) throw new ApiError(answer.status, [], undefined, "GET /openapi.json");
      return (await answer.json()) as Document;
    },
  });

export function operationsOf({ paths }: Document): Operation[] {
  return Object.entries(paths).flatMap(([path, told]) =>
    METHODS.flatMap((method) => {
      const found = told[method.toLowerCase()];
      return found ? [operation(method, path, found)] : [];
    }),
  );
}

function operation(method: Method, path: string, told: Told): Operation {
  return {
    id: told.operationId ?? `${method} ${path}`,
    method,
    path,
    summary: told.summary ?? path,
    description: told.description ?? "",
    group: told.tags?.[0] ?? "",
    deprecated: told.deprecated ?? false,
    permission: told["x-permission"],
    parameters: (told.parameters ?? []).filter(({ name }) => name !== "Idempotency-Key"),
    bodies: Object.entries(told.requestBody?.content ?? {}).map(([type, { schema }]) => ({ type, schema })),
    bodyRequired: told.requestBody?.required ?? false,
  };
}

/** A schema without the reference that it may be. */
export function resolved(schema: Schema | undefined, document: Document): Schema {
  const name = schema?.$ref?.split("/").at(-1);
  return (name === undefined ? schema : document.components?.schemas?.[name]) ?? {};
}

/** A value to begin with: what the schema gives as an example, else what is required, with empty values. */
export function exampleOf(schema: Schema | undefined, document: Document, depth = 0): unknown {
  const found = resolved(schema, document);
  if (found.examples?.length) return found.examples[0];
  if (found.example !== undefined) return found.example;
  if (found.const !== undefined) return found.const;
  if (found.default !== undefined) return found.default;
  if (found.enum?.length) return found.enum[0];
  const one = (found.anyOf ?? found.oneOf ?? found.allOf)?.find((option) => option.type !== "null");
  if (one) return exampleOf(one, document, depth);
  const type = Array.isArray(found.type) ? found.type.find((name) => name !== "null") : found.type;
  if (type === "object" || found.properties) {
    if (depth >= DEEPEST) return {};
    const wanted = new Set(found.required ?? []);
    const shown = Object.entries(found.properties ?? {}).filter(([name, part]) => wanted.has(name) || resolved(part, document).examples?.length);
    return Object.fromEntries(shown.map(([name, part]) => [name, exampleOf(part, document, depth + 1)]));
  }
  if (type === "array") return [];
  if (type === "integer" || type === "number") return 0;
  if (type === "boolean") return false;
  return "";
}

/** What a schema is, in a word or two. */
export function typeOf(schema: Schema | undefined, document: Document): string {
  const found = resolved(schema, document);
  if (found.enum) return found.enum.map((one) => JSON.stringify(one)).join(" | ");
  const options = found.anyOf ?? found.oneOf;
  if (options) return options.map((one) => typeOf(one, document)).join(" | ");
  if (found.type === "array") return `${typeOf(found.items, document)}[]`;
  const type = Array.isArray(found.type) ? found.type.join(" | ") : (found.type ?? "object");
  return found.format ? `${type} (${found.format})` : type;
}

/** The address with what was filled in; what is not yet stands as in the reference, or is left out of the query. */
export function addressOf(call: Operation, values: Readonly<Record<string, string>>): string {
  const path = call.path.replace(/\{(\w+)\}/g, (_, name: string) => (values[name] ? encodeURIComponent(values[name]) : `{${name}}`));
  const query = new URLSearchParams(call.parameters.flatMap(({ name, in: place }) => (place === "query" && values[name] ? [[name, values[name]]] : []))).toString();
  return path + (query && `?${query}`);
}
