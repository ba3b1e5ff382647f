/** Values of fields as cells show, copy and read them. */
import { localized } from "@/components/localized";
import type { Field } from "../types";

/** A text as a value of its field, or why it is none: the key of a text. */
export type Read = { value: unknown } | { problem: "number" | "integer" | "date" | "datetime" | "checkbox" | "option" | "relation" | "json" };

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const TRUE = new Set(["true", "yes", "y", "tak", "t", "1", "x", "✓", "prawda"]);
const FALSE = new Set(["false", "no", "n", "nie", "0", "fałsz"]);

/** Whether two values are the same; none and the empty text are. */
export function same(one: unknown, other: unknown): boolean {
  if (isEmpty(one) || isEmpty(other)) return isEmpty(one) && isEmpty(other);
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

export function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
}

/** The value as a text that `read` takes again: what is copied, and what an editor begins with. */
export function written(field: Field, value: unknown): string {
  if (isEmpty(value)) return "";
  if (typeof value === "string") return value;
  if (Array.isArray(value) && field.type === "multiselect") return value.join(", ");
  return JSON.stringify(value);
}

/** A text that was typed or pasted, as its field has it. What only the server knows is left to it. */
export function read(field: Field, text: string): Read {
  const plain = text.trim();
  if (plain === "") return { value: null };
  switch (field.type) {
    case "number":
    case "integer":
      return number(field.type, plain);
    case "date":
      return date(plain);
    case "datetime":
      return moment(plain);
    case "checkbox":
      return TRUE.has(plain.toLowerCase()) ? { value: true } : FALSE.has(plain.toLowerCase()) ? { value: false } : { problem: "checkbox" };
    case "singleSelect": {
      const found = option(field, plain);
      return found === undefined ? { problem: "option" } : { value: found };
    }
    case "multiselect":
      return several(field, plain);
    case "relation":
      return UUID.test(plain) ? { value: plain.toLowerCase() } : { problem: "relation" };
    case "json":
    case "array":
    case "attachment":
      try {
        return { value: JSON.parse(plain) as unknown };
      } catch {
        return { problem: "json" };
      }
    case "text":
      return { value: text };
    default:
      return { value: plain };
  }
}

/** Numbers as people and spreadsheets write them: `1 234,56`, `1,234.56`, `12,50 zł`. */
function number(type: "number" | "integer", text: string): Read {
  const bare = text.replace(/[\s\u00a0\u202f']/g, "").replace(/^[€$£]|(zł|pln|eur|usd|€|\$|£)$/i, "");
  const comma = bare.lastIndexOf(",");
  const point = bare.lastIndexOf(".");
  let plain = bare;
  if (comma >= 0 && point >= 0) plain = comma > point ? bare.replaceAll(".", "").replace(",", ".") : bare.replaceAll(",", "");
  else if (comma >= 0) plain = /^[+-]?\d{1,3}(,\d{3}){2,}$/.test(bare) ? bare.replaceAll(",", "") : bare.replace(",", ".");
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain)) return { problem: type };
  const value = Number(plain);
  if (!Number.isFinite(value) || (type === "integer" && !Number.isInteger(value))) return { problem: type };
  return { value };
}

/** `2026-03-31` and `31.03.2026`; other orders of day and month are guesses. */
function date(text: string): Read {
  const parts = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(text);
  const turned = /^(\d{1,2})\.(\d{1,2})\.(\d{4})$/.exec(text);
  const [year, month, day] = parts ? parts.slice(1) : turned ? turned.slice(1).reverse() : [];
  if (!year || !month || !day) return { problem: "date" };
  const value = `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
  const real = new Date(`${value}T00:00:00Z`);
  return Number.isNaN(real.getTime()) || !real.toISOString().startsWith(value) ? { problem: "date" } : { value };
}

/** A time; without a zone it is the person's. */
function moment(text: string): Read {
  if (!/^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}/.test(text)) return { problem: "datetime" };
  const value = new Date(text.replace(" ", "T"));
  return Number.isNaN(value.getTime()) ? { problem: "datetime" } : { value: value.toISOString() };
}

function several(field: Field, text: string): Read {
  if (text.startsWith("[")) {
    try {
      return { value: JSON.parse(text) as unknown };
    } catch {
      return { problem: "json" };
    }
  }
  const chosen = text.split(/[,;]/).map((part) => part.trim()).filter((part) => part !== "").map((part) => option(field, part));
  return chosen.includes(undefined) ? { problem: "option" } : { value: [...new Set(chosen)] };
}

/** The option that a text names: its value, or its title in any language. */
function option(field: Field, text: string): string | undefined {
  const wanted = text.toLowerCase();
  const options = field.options ?? [];
  const exact = options.find((one) => one.value === text) ?? options.find((one) => one.value.toLowerCase() === wanted);
  return (exact ?? options.find((one) => titles(one.title).some((title) => title.toLowerCase() === wanted)))?.value;
}

function titles(title: unknown): string[] {
  if (typeof title === "string") return [title];
  return typeof title === "object" && title !== null ? Object.values(title).filter((one) => typeof one === "string") : [];
}

/** How cells of a person's language and zone look; its formats are made once, as a grid shows hundreds of cells. */
export class Looks {
  private readonly numbers: Intl.NumberFormat;
  private readonly days: Intl.DateTimeFormat;
  private readonly moments: Intl.DateTimeFormat;

  constructor(
    readonly language: string,
    timeZone: string | undefined,
    private readonly yes: string,
    private readonly no: string,
    private readonly files: (count: number) => string,
  ) {
    this.numbers = new Intl.NumberFormat(language, { maximumFractionDigits: 20 });
    this.days = new Intl.DateTimeFormat(language, { timeZone: "UTC", dateStyle: "medium" });
    this.moments = new Intl.DateTimeFormat(language, { ...(timeZone ? { timeZone } : {}), dateStyle: "medium", timeStyle: "short" });
  }

  /** The value as people read it, in one line. */
  of(field: Field, value: unknown): string {
    if (isEmpty(value)) return "";
    if (typeof value === "boolean") return value ? this.yes : this.no;
    if (typeof value === "number") return this.numbers.format(value);
    if (typeof value === "string") return this.text(field, value);
    if (Array.isArray(value) && field.options) return value.map((one) => this.option(field, String(one))).join(", ");
    if (Array.isArray(value) && field.type === "attachment") return this.files(value.length);
    return JSON.stringify(value);
  }

  private text(field: Field, value: string): string {
    if (field.options) return this.option(field, value);
    if (field.type === "date" || field.type === "datetime") {
      const at = new Date(field.type === "date" ? `${value}T00:00:00Z` : value);
      if (Number.isNaN(at.getTime())) return value;
      return (field.type === "date" ? this.days : this.moments).format(at);
    }
    const end = value.indexOf("\n");
    return end < 0 ? value : `${value.slice(0, end)} …`;
  }

  private option(field: Field, value: string): string {
    const found = field.options?.find((one) => one.value === value);
    return localized(found?.title, this.language) || value;
  }
}
