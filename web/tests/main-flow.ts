/**
 * The main flow of version 2 as a client of ours would write it: types made of the document, no header set by hand.
 * The key is pinned to version 2. `tests/acceptance/test_generated_client.py` runs it; `npm run types` checks it.
 */
import createClient from "openapi-fetch";

import type { components, paths } from "../src/api/schema.d.ts";

type Authorization = components["schemas"]["AuthorizeBody"];

const { BASE_URL = "", DEFINITION = "", CREDENTIALS = "{}" } = process.env;

async function answered<T>(call: Promise<{ data?: T; error?: unknown }>): Promise<T> {
  const { data, error } = await call;
  if (data === undefined) throw new Error(JSON.stringify(error));
  return data;
}

const anonymous = createClient<paths>({ baseUrl: BASE_URL });
const body = JSON.parse(CREDENTIALS) as Authorization;
const tokens = await answered(anonymous.POST("/auth/authorize", { body }));
const api = createClient<paths>({ baseUrl: BASE_URL, headers: { Authorization: `Bearer ${tokens.accessToken}` } });

const run = await answered(
  api.POST("/workflows/run", { body: { workflowDefinitionId: DEFINITION, parameters: { amount: 21 } } }),
);
const path = { workflowId: run.id };
const shown = await answered(api.GET("/workflows/{workflowId}", { params: { path } }));
const { result } = await answered(api.GET("/workflows/{workflowId}/result", { params: { path } }));
const { data } = await answered(api.GET("/workflows", { params: { query: { workflowDefinitionId: DEFINITION, limit: 1 } } }));
const refused = await api.POST("/workflows/run", { body: { workflowDefinitionId: run.id } });

process.stdout.write(
  JSON.stringify({
    status: shown.status,
    revision: shown.revision,
    result,
    listed: data.map((one) => one.id === run.id),
    refused: refused.error?.errors.map((problem) => problem.code),
  }),
);
