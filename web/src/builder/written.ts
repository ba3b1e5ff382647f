/** Values as text: in the style that stands there already, or in that of people who write by hand. */
import type { Scalar } from "yaml";

const WIDEST_FLOW = 72;
/** What is no text when it is written without quotes, for one reader or another. */
const NO_TEXT = /^(?:null|true|false|yes|no|on|off|y|n|~|[-+]?(?:\.inf|\.nan)|[-+.]?[0-9][-+0-9.eE_:xXoOa-fA-F]*)?$/i;
const PLAIN = /^[^\s\-?:,[\]{}#&*!|>'"%@`](?:[^\n\r:#]|:(?=[^\s,[\]{}])|(?<=[^\s])#)*$/;
const PLAIN_INSIDE = /^[^\s\-?:,[\]{}#&*!|>'"%@`](?:[^\n\r:#,[\]{}]|:(?=[^\s,[\]{}])|(?<=[^\s])#)*$/;
// eslint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]/;

export interface Style {
  /** Where the value begins: columns before its lines, if it takes several. */
  indent: number;
  /** Columns that one level is deeper than another. */
  step: number;
  /** Whether items of a list stand deeper than their key. */
  deepLists: boolean;
  /** Within brackets. */
  flow: boolean;
  eol: string;
  /** As JSON has it: keys in quotes, too. */
  json: boolean;
}

/** A text within a line. `like`: how the one before it was written. */
export function inLine(text: string, style: Style, like?: Scalar.Type): string {
  if (style.json || UNPRINTABLE.test(text)) return JSON.stringify(text);
  const plain = (style.flow ? PLAIN_INSIDE : PLAIN).test(text) && text === text.trim() && !NO_TEXT.test(text);
  const breaks = /[\n\r\t]/.test(text);
  if (like === "QUOTE_SINGLE" && !breaks) return `'${text.replaceAll("'", "''")}'`;
  if (like !== "QUOTE_DOUBLE" && plain && !breaks) return text;
  return JSON.stringify(text);
}

/** Whether a text is better written in lines of its own. */
function inLines(text: string, style: Style): boolean {
  return !style.flow && /\n/.test(text.trimEnd()) && !UNPRINTABLE.test(text) && !/^\s|[ \t]\n|[ \t]$|\t|\r/.test(text);
}

function literal(text: string, style: Style): string {
  const body = text.replace(/\n+$/, "");
  const end = text.slice(body.length);
  const header = end === "" ? "|-" : end === "\n" ? "|" : "|+";
  const pad = " ".repeat(style.indent);
  const lines = body.split("\n").map((line) => (line ? pad + line : ""));
  const extra = end.length > 1 ? style.eol.repeat(end.length - 1) : "";
  return [header, ...lines].join(style.eol) + extra;
}

/** A value as it stands behind its key (`key: …`) or its dash. It may begin with a line break. */
export function written(value: unknown, style: Style, like?: Scalar.Type): string {
  if (typeof value === "string") {
    const wantsLines = like === "BLOCK_LITERAL" || like === "BLOCK_FOLDED" ? text(value) : inLines(value, style);
    return !style.json && wantsLines ? literal(value, style) : inLine(value, style, like);
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value ?? null);
  const flow = inFlow(value, style);
  if (style.flow || style.json || Object.keys(value).length === 0 || prefersFlow(value, flow)) return flow;
  return style.eol + block(value, style);
}

const text = (value: string) => value.trim() !== "" && !/^\s/.test(value) && !UNPRINTABLE.test(value) && !/\r/.test(value);

/** A mapping or list in lines, the first of them indented as well. */
function block(value: object, style: Style): string {
  const pad = " ".repeat(style.indent);
  if (Array.isArray(value)) return value.map((one) => pad + item(one, style)).join(style.eol);
  return Object.entries(value)
    .map(([name, one]) => pad + pair(name, one, style))
    .join(style.eol);
}

/** `name: value`; further lines are indented for a key at `style.indent`. */
export function pair(name: string, value: unknown, style: Style): string {
  const key = style.json ? JSON.stringify(name) : inLine(name, { ...style, flow: true });
  const deeper = Array.isArray(value) && !style.deepLists ? 0 : style.step;
  const after = written(value, { ...style, indent: style.indent + deeper });
  return after.startsWith(style.eol) ? `${key}:${after}` : `${key}: ${after}`;
}

/** `- value`; further lines are indented for a dash at `style.indent`. */
export function item(value: unknown, style: Style): string {
  const after = written(value, { ...style, indent: style.indent + 2 });
  return after.startsWith(style.eol) ? `- ${after.slice(style.eol.length).trimStart()}` : `- ${after}`;
}

function inFlow(value: object, style: Style): string {
  const inside = { ...style, flow: true };
  if (Array.isArray(value)) return `[${value.map((one) => written(one, inside)).join(", ")}]`;
  const pairs = Object.entries(value).map(([name, one]) => pair(name, one, inside));
  return `{${pairs.join(", ")}}`;
}

/** What fits on a line and is simple reads better on one: `{en: Company, pl: Firma}`, `[a, b]`. */
function prefersFlow(value: object, flow: string): boolean {
  const simple = (one: unknown) => (typeof one === "string" ? !one.includes("\n") : typeof one !== "object" || one === null);
  return flow.length <= WIDEST_FLOW && !("id" in value) && Object.values(value).every(simple);
}
