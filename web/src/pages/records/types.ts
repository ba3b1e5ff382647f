/** Tables and records, as the pages use them. */
import { localized } from "@/components/localized";

export interface Option {
  value: string;
  title?: unknown;
}

export interface Field {
  name: string;
  type: string;
  title?: unknown;
  required?: boolean;
  unique?: boolean;
  indexed?: boolean;
  /** Of an index that is wanted: `building`, `failed` or `ready`. */
  index?: string | null;
  indexProblem?: string | null;
  options?: Option[] | null;
  table?: string | null;
  pii?: string | null;
}

export interface Table {
  id: string;
  name: string;
  title?: unknown;
  builtIn?: boolean;
  version?: number;
  fields: Field[];
}

/** A record: its own members, and the values of its fields by their names. */
export interface TableRecord {
  id: string;
  version: number;
  createdAt: string;
  updatedAt: string;
  [field: string]: unknown;
}

/** What people call a field or a table. */
export function titleOf(named: { name: string; title?: unknown }, language: string): string {
  return localized(named.title, language) || named.name;
}

/** A record's name for people: the first text that it has; else the beginning of its id. */
export function nameOf(record: TableRecord, fields: readonly Field[]): string {
  const named = fields.filter((field) => ["text", "email", "idField"].includes(field.type));
  const found = named.map((field) => record[field.name]).find((value) => typeof value === "string" && value.trim() !== "");
  return typeof found === "string" ? found : record.id.slice(0, 8);
}
