import { PREFIX } from "@/app/prefix";

/** A call as a command line, for "copy as curl". */
export interface Call {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  path: string;
  query?: Record<string, string | number | boolean | undefined>;
  body?: unknown;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The call with a placeholder for the credentials: those of a browser session are of no use elsewhere. */
export function asCurl(call: Call, origin: string = location.origin + PREFIX): string {
  const query = new URLSearchParams(
    Object.entries(call.query ?? {}).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  ).toString();
  const method = call.method ?? "GET";
  const lines = [`curl ${method === "GET" ? "" : `-X ${method} `}${quoted(origin + call.path + (query && `?${query}`))}`];
  lines.push(`-H "Authorization: Bearer $PASSERELLE_TOKEN"`, `-H 'Accept: application/json;version=2'`);
  if (call.body !== undefined) {
    lines.push(`-H 'Content-Type: application/json'`, `--data-raw ${quoted(JSON.stringify(call.body))}`);
  }
  return lines.join(" \\\n  ");
}
