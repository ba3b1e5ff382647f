/** How the items of a mapping or list stand in the text: each with its comment, and what is between them. */
import { isMap, isScalar, type Node, type Scalar } from "yaml";

import { columnOf, trimmed, type Collection, type Parsed, type Range } from "./parsed";

export interface Layout {
  flow: boolean;
  /** The column of keys or dashes; of brackets, that of the opening one. */
  column: number;
  /** Each item: its comment above, itself, and its comment on the same line. */
  items: Range[];
  /** The whole, brackets included. */
  whole: Range;
}

/** The layout of a collection that has items, or of an empty pair of brackets. */
export function layoutOf(parsed: Parsed, node: Collection): Layout {
  const { text } = parsed;
  const [start, end] = node.range!;
  if (node.flow) {
    const items = starts(text, node).map((from, place) => ({ from, to: ends(text, node, place) }));
    return { flow: true, column: columnOf(text, start), items, whole: { from: start, to: end } };
  }
  const begin = starts(text, node);
  const column = columnOf(text, begin[0] ?? start);
  const items = begin.map((from, place) => {
    const alone = text.slice(text.lastIndexOf("\n", from - 1) + 1, from).trim() === "";
    const before = place > 0 ? ends(text, node, place - 1) : alone ? 0 : from;
    const own = ends(text, node, place);
    const limit = begin[place + 1] ?? text.length;
    return { from: withComment(text, from, before, column), to: withTail(text, own, limit, column) };
  });
  return { flow: false, column, items, whole: { from: items[0]?.from ?? start, to: items.at(-1)?.to ?? end } };
}

/** Where each item begins: its key, or its dash. */
function starts(text: string, node: Collection): number[] {
  if (isMap(node)) return (node).items.map((pair) => keyStart(text, pair.key));
  const items = (node).items;
  if (node.flow) return items.map((one) => one.range![0]);
  return items.map((one) => dashBefore(text, properties(text, one)));
}

/** A key with its anchor, tag or `?`: none of them is used here, but must not be torn off. */
function keyStart(text: string, key: Node): number {
  return properties(text, key);
}

function properties(text: string, node: Node): number {
  let from = node.range![0];
  const before = /(?:[&!][^\s]*[ \t]+)+$/.exec(text.slice(Math.max(0, from - 200), from));
  if (before) from -= before[0].length;
  return from;
}

/** The dash of an item: between it and the item stand only white space and comments. */
function dashBefore(text: string, from: number): number {
  let at = from - 1;
  while (at >= 0) {
    const line = text.lastIndexOf("\n", at) + 1;
    const dash = /(^|[\s-])-(?=\s|$)(?!.*[\s-]-(?=\s|$))/.exec(withoutComment(text.slice(line, at + 1)));
    if (dash) return line + dash.index + dash[1]!.length;
    at = line - 2;
  }
  return from;
}

function withoutComment(line: string): string {
  return line.replace(/(^|\s)#.*$/, (found) => " ".repeat(found.length));
}

/** Where an item's own text ends: behind the last character of its value. */
function ends(text: string, node: Collection, place: number): number {
  if (!isMap(node)) return valueEnd(text, (node).items[place]!);
  const { key, value } = (node).items[place]!;
  if (value?.range && value.range[1] > value.range[0]) return valueEnd(text, value);
  const colon = text.indexOf(":", key.range![1]);
  return colon < 0 ? key.range![1] : Math.max(colon + 1, trimmed(text, value?.range?.[0] ?? 0, 0));
}

function valueEnd(text: string, node: Node): number {
  const [from, to] = node.range!;
  // What `|+` keeps belongs to the value but for the break that ends its last line.
  if (isScalar(node) && keeps(text, node)) return text[to - 1] === "\n" ? to - (text[to - 2] === "\r" ? 2 : 1) : to;
  return trimmed(text, to, from);
}

function keeps(text: string, node: Scalar): boolean {
  const { type } = node;
  return (type === "BLOCK_LITERAL" || type === "BLOCK_FOLDED") && /^[|>][0-9]?\+/.test(text.slice(node.range![0], node.range![0] + 3));
}

/** Comments directly above, in the same column. `limit`: where what is before ends. */
function withComment(text: string, from: number, limit: number, column: number): number {
  let top = from;
  for (;;) {
    const line = text.lastIndexOf("\n", top - 1);
    if (line < limit) return top;
    const above = text.lastIndexOf("\n", line - 1) + 1;
    if (above < limit) return top;
    if (!new RegExp(`^ {${column}}#`).test(text.slice(above, line))) return top;
    top = above + column;
  }
}

/** The comment on the same line, and those below that stand deeper than the item. */
function withTail(text: string, to: number, limit: number, column: number): number {
  const here = /^[ \t]+#[^\r\n]*/.exec(text.slice(to, limit));
  let end = to + (here?.[0].length ?? 0);
  for (;;) {
    const below = new RegExp(`^(?:\\r?\\n[ \\t]*)*\\r?\\n {${column + 1},}#[^\\r\\n]*`).exec(text.slice(end, limit));
    if (!below) return end;
    end += below[0].length;
  }
}
