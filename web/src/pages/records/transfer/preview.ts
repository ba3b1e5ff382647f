/** What the beginning of a file of rows says of it, before it is sent. */
import type { Field } from "../types";

export interface Columns {
  format: "csv" | "jsonl";
  names: string[];
  /** The first values of each column. */
  samples: string[][];
}

const SAMPLES = 4;
const DELIMITERS = [",", ";", "\t", "|"];

/** The columns of a file by its beginning. */
export function columnsOf(name: string, beginning: string): Columns {
  const text = beginning.replace(/^\ufeff/, "");
  return /\.(jsonl|ndjson)$/i.test(name) ? ofJson(text) : ofCsv(text);
}

function ofJson(text: string): Columns {
  const rows = text.split("\n").slice(0, SAMPLES).flatMap((line): Record<string, unknown>[] => {
    try {
      const value: unknown = JSON.parse(line);
      return isObject(value) ? [value] : [];
    } catch {
      return [];
    }
  });
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const shown = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value ?? ""));
  return { format: "jsonl", names, samples: names.map((name) => rows.map((row) => shown(row[name]))) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function ofCsv(text: string): Columns {
  const lines = /^"?sep=(.)"?\s*\r?\n/i.exec(text);
  const body = lines ? text.slice(lines[0].length) : text;
  const [head = ""] = body.split("\n", 1);
  const delimiter = lines?.[1] ?? DELIMITERS.reduce((best, one) => (head.split(one).length > head.split(best).length ? one : best));
  const rows = csvRows(body, delimiter, SAMPLES + 1);
  const names = (rows[0] ?? []).map((name) => name.trim());
  return { format: "csv", names, samples: names.map((_, place) => rows.slice(1).map((row) => row[place] ?? "")) };
}

function csvRows(text: string, delimiter: string, most: number): string[][] {
  const rows: string[][] = [[]];
  let cell = "";
  let quoted = false;
  for (let at = 0; at < text.length && rows.length <= most; at += 1) {
    const char = text[at];
    if (quoted) {
      if (char !== '"') cell += char;
      else if (text[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else quoted = false;
    } else if (char === '"' && cell === "") quoted = true;
    else if (char === delimiter || char === "\n") {
      rows.at(-1)?.push(cell.replace(/\r$/, ""));
      cell = "";
      if (char === "\n") rows.push([]);
    } else cell += char;
  }
  rows.at(-1)?.push(cell);
  return rows.filter((row) => row.some((one) => one.trim() !== "")).slice(0, most);
}

const SERVERS = new Set(["id", "version", "createdAt", "updatedAt"]);

/** The field that a column most likely stands for; null for none. */
export function likely(column: string, fields: readonly Field[]): string | null {
  if (SERVERS.has(column)) return null;
  const plain = (text: string) => text.normalize("NFD").replace(/[\p{M}\W_]/gu, "").toLowerCase();
  const wanted = plain(column);
  const found = fields.find((field) => [field.name, ...titles(field.title)].some((name) => plain(name) === wanted));
  return found?.name ?? null;
}

function titles(title: unknown): string[] {
  if (typeof title === "string") return [title];
  return typeof title === "object" && title !== null ? Object.values(title).filter((one) => typeof one === "string") : [];
}
