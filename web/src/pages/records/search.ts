/** What a list of records is narrowed and ordered by, as it stands in its address. */
import type { Field } from "./types";

export const OPERATORS = ["eq", "ne", "contains", "startsWith", "gt", "gte", "lt", "lte", "isEmpty"] as const;
export type Operator = (typeof OPERATORS)[number];

export interface Condition {
  field: string;
  op: Operator;
  value: string;
}

export const KINDS = ["grid", "board", "gallery"] as const;
export type Kind = (typeof KINDS)[number];

export interface RecordsSearch {
  text?: string;
  sort?: string;
  where?: Condition[];
  /** How they are shown; a grid where nothing is said. */
  kind?: Kind;
  /** The field whose options are the columns of a board. */
  by?: string;
  /** The fields that are shown, in their order; the table's own where nothing is said. */
  columns?: string[];
  widths?: Record<string, number>;
  /** The saved view that this began with. */
  view?: string;
}

const MOST_COLUMNS = 300;

/** What of an address is a filter; the rest is let go. */
export function readSearch(given: Record<string, unknown>): RecordsSearch {
  const search: RecordsSearch = {};
  for (const name of ["text", "sort"] as const) {
    const value = given[name];
    if (typeof value === "string" && value.length > 0 && value.length <= 500) search[name] = value;
  }
  if (Array.isArray(given["where"])) {
    const where = given["where"].filter(isCondition).slice(0, 10);
    if (where.length > 0) search.where = where;
  }
  const { kind, by, columns, widths, view } = given;
  if (KINDS.some((one) => one === kind)) search.kind = kind as Kind;
  if (typeof by === "string") search.by = by;
  if (typeof view === "string") search.view = view;
  if (Array.isArray(columns)) {
    const names = [...new Set(columns.filter((one): one is string => typeof one === "string"))].slice(0, MOST_COLUMNS);
    if (names.length > 0) search.columns = names;
  }
  if (typeof widths === "object" && widths !== null && !Array.isArray(widths)) {
    const kept = Object.entries(widths).filter((entry): entry is [string, number] => typeof entry[1] === "number").slice(0, MOST_COLUMNS);
    if (kept.length > 0) search.widths = Object.fromEntries(kept);
  }
  return search;
}

/** What narrows the records, without how they are shown. */
export function isNarrowed({ text, where }: RecordsSearch): boolean {
  return text !== undefined || where !== undefined;
}

function isCondition(value: unknown): value is Condition {
  if (typeof value !== "object" || value === null) return false;
  const { field, op, value: compared } = value as Record<string, unknown>;
  return typeof field === "string" && OPERATORS.some((one) => one === op) && typeof compared === "string";
}

/** The search of the API that these filters mean. */
export function asBody(search: RecordsSearch, fields: readonly Field[]): { filter?: unknown; text?: string; sort?: string[] } {
  const conditions = (search.where ?? []).flatMap((condition) => {
    const field = fields.find((one) => one.name === condition.field);
    // A condition that is not written to its end narrows nothing yet.
    const written = condition.op === "isEmpty" || condition.value.trim() !== "";
    return field && written ? [{ field: field.name, op: condition.op, value: compared(field, condition) }] : [];
  });
  return {
    ...(conditions.length > 0 && { filter: { and: conditions } }),
    ...(search.text && { text: search.text }),
    ...(search.sort && { sort: [search.sort] }),
  };
}

/** The value as the field's type has it; a text that is none of its type stays one, and the server says so. */
function compared(field: Field, { op, value }: Condition): unknown {
  if (op === "isEmpty") return value !== "false";
  if (field.type === "checkbox") return value === "true";
  if (field.type === "number" || field.type === "integer") {
    const number = Number(value);
    return value.trim() !== "" && Number.isFinite(number) ? number : value;
  }
  return value;
}

/** Comparisons that an index answers. */
const BY_INDEX: readonly Operator[] = ["eq", "startsWith", "gt", "gte", "lt", "lte", "isEmpty"];
const WITHOUT_INDEX = ["json", "array", "attachment", "multiselect"];

/** The fields whose index would make the search fast, had they one. */
export function withoutIndex({ where, sort }: RecordsSearch, fields: readonly Field[]): Field[] {
  const compared = (where ?? []).filter(({ op, value }) => BY_INDEX.includes(op) && (op === "isEmpty" || value.trim() !== ""));
  const names = new Set([...compared.map(({ field }) => field), ...(sort ? [sort.replace(/^-/, "")] : [])]);
  const isReady = ({ name, indexed, unique, index }: Field) => (indexed || (unique && sort?.replace(/^-/, "") !== name)) && (index ?? "ready") === "ready";
  return fields.filter((field) => names.has(field.name) && !WITHOUT_INDEX.includes(field.type) && !isReady(field));
}

const TEXTS = ["text", "email", "phone", "idField"];

/** The operators that make sense for a field. */
export function operatorsOf(field: Field): readonly Operator[] {
  if (TEXTS.includes(field.type)) return ["eq", "ne", "contains", "startsWith", "isEmpty"];
  if (field.type === "checkbox") return ["eq", "isEmpty"];
  if (["number", "integer", "date", "datetime"].includes(field.type)) return ["eq", "ne", "gt", "gte", "lt", "lte", "isEmpty"];
  if (field.type === "singleSelect" || field.type === "relation" || field.type === "assignee") return ["eq", "ne", "isEmpty"];
  return ["isEmpty"];
}
