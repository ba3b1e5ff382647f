/** A definition's text as the yaml library reads it: every value with the place where it stands. */
import {
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  parseDocument,
  type Document,
  type Node,
  type Pair,
  type ScalarTag,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";

import { reread } from "./reread";

export type Path = readonly (string | number)[];

/** A part of the text: from its first character to behind its last. */
export interface Range {
  from: number;
  to: number;
}

export type Collection = YAMLMap<Node, Node | null> | YAMLSeq<Node>;

export interface Parsed {
  text: string;
  /** Whether the text could be read to its end: only then can it be drawn and changed by the drawing. */
  readable: boolean;
  value: unknown;
  /** What the text says, each value with its place. */
  root: Node | null;
  /** What resolves aliases; where there are none, that of a text before. */
  document: Document;
  /** Whether a value is named to be repeated, or repeats one. */
  repeats: boolean;
}

// As the server reads it: null, true, false and numbers are what JSON says they are, all else is a text.
const NULL: ScalarTag = { tag: "tag:yaml.org,2002:null", default: true, test: /^(?:null)?$/, resolve: () => null };
const BOOLEAN: ScalarTag = { tag: "tag:yaml.org,2002:bool", default: true, test: /^(?:true|false)$/, resolve: (text) => text === "true" };
const NUMBER: ScalarTag = {
  tag: "tag:yaml.org,2002:float",
  default: true,
  test: /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$/,
  resolve: (text) => Number(text),
};

/** The texts that were read last: an edit reads what comes out of it, and whoever draws it reads the same. */
const kept = new Map<string, Parsed>();
const MOST_KEPT = 6;

/** Read a text. Never throws: what cannot be read is not `readable`. What comes out is shared: nobody changes it. */
export function parse(text: string): Parsed {
  const known = kept.get(text);
  kept.delete(text);
  const parsed = known ?? again(text) ?? read(text);
  kept.set(text, parsed);
  const [oldest] = kept.keys();
  if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest);
  return parsed;
}

/** Read anew as little as may be: after the newest of the kept texts that it is much alike. */
function again(text: string): Parsed | undefined {
  for (const before of [...kept.values()].reverse()) {
    const parsed = reread(before, text, read);
    if (parsed) return parsed;
  }
  return undefined;
}

/** As `parse`, for a text that nobody else reads: it is not kept. */
export function read(text: string): Parsed {
  const document = parseDocument(text, {
    schema: "failsafe",
    customTags: (tags) => [...tags.filter((tag) => typeof tag !== "string"), NULL, BOOLEAN, NUMBER],
    logLevel: "silent",
    merge: false,
  });
  let value: unknown;
  let readable = document.errors.length === 0;
  if (readable) {
    try {
      value = document.toJS({ maxAliasCount: 1000 });
    } catch {
      readable = false;
    }
  }
  return { text, readable, value, root: document.contents, document, repeats: hasAnchor(document.contents) };
}

function hasAnchor(node: Node | null): boolean {
  if (isAlias(node)) return true;
  if (isMap(node)) return node.anchor !== undefined || (node as YAMLMap<Node, Node | null>).items.some((pair) => hasAnchor(pair.key) || hasAnchor(pair.value));
  if (isSeq(node)) return node.anchor !== undefined || (node.items as Node[]).some(hasAnchor);
  return isScalar(node) && node.anchor !== undefined;
}

/** The value at a path, and what holds it; undefined where the text has nothing there. */
export interface Found {
  node: Node | null;
  pair: Pair<Node, Node | null> | undefined;
  parent: Collection | undefined;
  /** Whether the path leads through an alias: what stands there belongs to another place. */
  borrowed: boolean;
}

export function find(parsed: Parsed, path: Path): Found | undefined {
  let found: Found = { node: parsed.root, pair: undefined, parent: undefined, borrowed: false };
  for (const part of path) {
    let node = found.node;
    let { borrowed } = found;
    if (isAlias(node)) {
      node = node.resolve(parsed.document) ?? null;
      borrowed = true;
    }
    if (isMap(node)) {
      const map = node as YAMLMap<Node, Node | null>;
      const pair = map.items.find((one) => keyOf(one) === String(part));
      if (!pair) return undefined;
      found = { node: pair.value, pair, parent: map, borrowed };
    } else if (isSeq(node) && typeof part === "number") {
      const seq = node as YAMLSeq<Node>;
      const item = seq.items[part];
      if (item === undefined) return undefined;
      found = { node: isPair(item) ? null : item, pair: undefined, parent: seq, borrowed };
    } else {
      return undefined;
    }
  }
  return found;
}

export function keyOf(pair: Pair<Node, Node | null>): string | undefined {
  return isScalar(pair.key) ? String((pair.key).source ?? pair.key.value) : undefined;
}

/** Where a value stands; of a missing one, where it would. */
export function rangeOf(parsed: Parsed, path: Path): Range | undefined {
  for (let length = path.length; length >= 0; length -= 1) {
    const found = find(parsed, path.slice(0, length));
    const key = found?.pair?.key.range;
    const value = found?.node?.range;
    if (key ?? value) return { from: (key ?? value)![0], to: trimmed(parsed.text, (value ?? key)![1], (key ?? value)![0]) };
  }
  return undefined;
}

/** The path of what stands at an offset: keys and items around it. */
export function pathAt(parsed: Parsed, offset: number): Path {
  const path: (string | number)[] = [];
  let node = parsed.root;
  while (isCollection(node)) {
    const inside = isMap(node)
      ? (node as YAMLMap<Node, Node | null>).items.findLast((pair) => (pair.key.range?.[0] ?? Infinity) <= offset)
      : undefined;
    if (inside) {
      const key = keyOf(inside);
      if (key === undefined) break;
      path.push(key);
      node = inside.value;
      continue;
    }
    if (!isSeq(node)) break;
    const items = (node as YAMLSeq<Node>).items;
    const place = items.findLastIndex((item) => (item.range?.[0] ?? Infinity) <= offset);
    if (place < 0) break;
    path.push(place);
    node = items[place] ?? null;
  }
  return path;
}

/** `to` without the white space before it. */
export function trimmed(text: string, to: number, from: number): number {
  while (to > from && /\s/.test(text[to - 1]!)) to -= 1;
  return to;
}

export function columnOf(text: string, offset: number): number {
  return offset - (text.lastIndexOf("\n", offset - 1) + 1);
}

export function newline(text: string): string {
  return text.includes("\r\n") ? "\r\n" : "\n";
}

/** Whether two values say the same; the order of keys says nothing. */
export function same(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const [one, other] = [left as Record<string, unknown>, right as Record<string, unknown>];
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => name in other && same(one[name], other[name]));
}
