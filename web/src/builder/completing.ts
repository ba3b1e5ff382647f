/** What may stand at a place of the text: keys and values of the schema, names of steps and tables, names of expressions.
 *
 * The text is read with a mark where somebody types: the place is the library's to find, in lines and in brackets alike. */
import { isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap } from "yaml";

import { completions, type Name } from "./names";
import { keyOf, pathAt, rangeOf, read, type Parsed, type Path } from "./parsed";
import { alternatives, languageOf, partOf, resolved, schemaAt, typesOf, type Schema } from "./schema";

/** What is there besides the schema. */
export interface Known {
  root: Schema;
  names: readonly Name[];
  steps: readonly string[];
  tables: readonly string[];
}

export interface Offer {
  label: string;
  /** What is put in; else the label. */
  apply?: string;
  info?: string;
  what: "key" | "value" | "name";
  detail?: string;
}

export interface Offers {
  /** Where what is being typed begins. */
  from: number;
  offers: Offer[];
}

const MARK = "passerelleMark";
const EXPRESSION = /(?:\$\{|\b(?:when|visibleWhen|until):[ \t]*["']?)([^}\n]*)$/;
const KEY = /^([ \t]*(?:- +)*)([\w$]*)$/;
const IN_BRACKETS = /[{[,][ \t]*["']?([\w$./-]*)$/;
const VALUE = /[\w$"']:[ \t]+["']?([\w./+-]*)$/;

/** What may go on at `offset`. `asked`: somebody asked for it, and has typed nothing yet. */
export function offersAt(text: string, offset: number, known: Known, asked = false): Offers | undefined {
  const line = text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset);
  const inside = EXPRESSION.exec(line)?.[1];
  if (inside !== undefined) return named(inside, offset, known);
  const key = KEY.exec(line)?.[2];
  if (key !== undefined) {
    if (key === "" && !asked) return undefined;
    return keys(text, offset - key.length, offset, known, true) ?? values(text, offset - key.length, offset, known);
  }
  const value = VALUE.exec(line)?.[1];
  if (value !== undefined) return values(text, offset - value.length, offset, known);
  const word = IN_BRACKETS.exec(line)?.[1];
  if (word === undefined || (word === "" && !asked)) return undefined;
  return keys(text, offset - word.length, offset, known, false) ?? values(text, offset - word.length, offset, known);
}

/** What stands at an offset, in the schema's words; undefined where it says nothing of it. */
export function explainedAt(text: string, offset: number, root: Schema): { from: number; to: number; words: string[] } | undefined {
  const parsed = read(text);
  const path = pathAt(parsed, offset);
  const range = rangeOf(parsed, path);
  const schema = schemaAt(root, path, parsed.value);
  const length = String(path.at(-1)).length;
  if (!range || !schema?.description || offset < range.from || offset > range.from + length + 1) return undefined;
  const example = schema.examples?.[0];
  return { from: range.from, to: range.from + length, words: [path.join(" › "), schema.description, ...(example === undefined ? [] : [JSON.stringify(example)])] };
}

function named(inside: string, offset: number, { names }: Known): Offers | undefined {
  const token = /[A-Za-z_][\w.]*$/.exec(inside)?.[0] ?? "";
  const offers = completions(inside, names, 40).map(({ name }): Offer => ({ label: name.name, detail: name.what, what: "name" }));
  return offers.length > 0 ? { from: offset - token.length, offers } : undefined;
}

/** Keys of the mapping that the place is in, but for those that stand in it. `lines`: not within brackets. */
function keys(text: string, from: number, to: number, known: Known, lines: boolean): Offers | undefined {
  const rest = /^[^\n]*/.exec(text.slice(to))![0];
  const isKey = /^["'\w$]*:/.test(rest);
  // A key stands there already, or one is being made: what is behind the caret in its line would be no value of it.
  const marked = text.slice(0, from) + MARK + (isKey ? text.slice(to).replace(/^["'\w$]*/, "") : lines ? `:${text.slice(to + rest.length)}` : text.slice(to));
  const parsed = read(marked);
  const found = marks(parsed).find((one) => one.isKey);
  const schema = found && schemaAt(known.root, found.path, parsed.value);
  const properties = schema ? alternatives(known.root, schema) : {};
  const taken = new Set(found?.siblings);
  const kinds = found && isStep(found.path) ? languageOf(known.root).kinds : undefined;
  const hasKind = kinds !== undefined && [...taken].some((name) => kinds.has(name));
  const offers = Object.entries(properties).flatMap(([label, one]): Offer[] => {
    if (taken.has(label) || (hasKind && kinds.has(label))) return [];
    const info = resolved(known.root, one).description;
    return [{ label, apply: isKey ? label : `${label}: `, what: "key", ...(info && { info }) }];
  });
  return offers.length > 0 ? { from, offers } : undefined;
}

/** Values that a key or an item of a list may have. */
function values(text: string, from: number, to: number, known: Known): Offers | undefined {
  const rest = /^[\w./+-]*/.exec(text.slice(to))![0].length;
  const marked = text.slice(0, from) + MARK + text.slice(to + rest);
  const parsed = read(marked);
  const found = marks(parsed).find((one) => !one.isKey);
  if (!found) return undefined;
  const offers = valuesOf(parsed, found.path, schemaAt(known.root, found.path, parsed.value) ?? {}, known).map((label): Offer => ({ label, what: "value" }));
  return offers.length > 0 ? { from, offers } : undefined;
}

function valuesOf(parsed: Parsed, path: Path, schema: Schema, { root, steps, tables }: Known): string[] {
  const key = path.at(-1);
  if (key === "goto") return [...steps];
  if (key === "table") return [...tables];
  if (path.at(-2) === "required") return fieldsBeside(parsed, path.slice(0, -2));
  const all = [schema, ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].map((one) => resolved(root, one));
  const listed = all.flatMap((one) => (one.enum ?? (one.const === undefined ? [] : [one.const])).map(String));
  if (listed.length > 0) return listed;
  if (typesOf(schema).includes("boolean")) return ["true", "false"];
  if (partOf(schema) === "text") return [];
  return (schema.examples ?? []).filter((one): one is string => typeof one === "string" && !one.includes("${"));
}

/** The fields that stand beside a list of those that are required. */
function fieldsBeside(parsed: Parsed, path: Path): string[] {
  const found = [...path, "properties"].reduce<Node | null | undefined>((node, part) => {
    if (isMap(node)) return (node as YAMLMap<Node, Node | null>).items.find((one) => keyOf(one) === part)?.value;
    return isSeq(node) && typeof part === "number" ? (node.items[part] as Node) : undefined;
  }, parsed.root);
  return isMap(found) ? (found as YAMLMap<Node, Node | null>).items.flatMap((one) => keyOf(one) ?? []) : [];
}

interface Marked {
  /** Of the mapping, where the mark is a key in it; else of the value. */
  path: Path;
  isKey: boolean;
  siblings: string[];
}

/** Where the mark stands. In brackets a word alone is a key, or the item of a list. */
function marks(parsed: Parsed): Marked[] {
  const found: Marked[] = [];
  const walk = (node: Node | null, path: Path): void => {
    if (isMap(node)) {
      const { items } = node as YAMLMap<Node, Node | null>;
      for (const pair of items) {
        const key = keyOf(pair) ?? "";
        if (key === MARK) found.push({ path, isKey: true, siblings: keysBut(items, pair) });
        else walk(pair.value, [...path, key]);
      }
    } else if (isSeq(node)) {
      (node.items as Node[]).forEach((item, place) => walk(item, [...path, place]));
    } else if (isScalar(node) && node.value === MARK) {
      found.push({ path, isKey: false, siblings: [] });
    }
  };
  walk(parsed.root, []);
  return found;
}

function keysBut(items: readonly Pair<Node, Node | null>[], one: Pair<Node, Node | null>): string[] {
  return items.flatMap((pair) => (pair === one ? [] : (keyOf(pair) ?? [])));
}

function isStep(path: Path): boolean {
  return typeof path.at(-1) === "number" && (path.at(-2) === "steps" || path.at(-3) === "branches");
}
