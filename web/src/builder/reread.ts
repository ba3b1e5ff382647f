/** A text read again after a change: only the steps that it touches, all others are what they were. */
import { isMap, isScalar, isSeq, Pair, Scalar, YAMLMap, YAMLSeq, type Node } from "yaml";

import { changeBetween } from "./history";
import type { Parsed } from "./parsed";

type Pairs = YAMLMap<Node, Node | null>;
type Place = [number, number, number];

/** What ends a document. */
const ANOTHER = /^(?:---|\.\.\.)/m;
/** Fewer steps are read as quickly as they are found. */
const FEWEST = 12;

/** The text as `read` would read it; undefined where it has to be read as a whole. */
export function reread(before: Parsed, text: string, read: (text: string) => Parsed): Parsed | undefined {
  if (!before.readable || before.repeats || !isMap(before.root) || before.root.flow) return undefined;
  const root = before.root as Pairs;
  const place = root.items.findIndex((pair) => isScalar(pair.key) && pair.key.value === "steps");
  const steps = root.items[place]?.value;
  if (!isSeq(steps) || steps.flow || steps.items.length < FEWEST) return undefined;
  const list = steps as YAMLSeq<Node>;
  const next = root.items[place + 1]?.key.range?.[0];
  const starts = lineStarts(before.text, list, next);
  const { from, removed, inserted } = changeBetween(before.text, text);
  const shift = inserted.length - removed.length;
  // What touches the first or last character of a step may change what its neighbour is: it is read as well.
  const first = starts.findLastIndex((start) => start < from);
  const behind = starts.findIndex((start) => start > from + removed.length);
  if (first < 0 || behind < 0 || 2 * (behind - first) > starts.length) return undefined;
  const head = "steps:\n";
  const lines = text.slice(starts[first], starts[behind]! + shift);
  if (ANOTHER.test(lines)) return undefined;
  const part = read(head + lines);
  const own = isMap(part.root) && part.root.items.length === 1 ? (part.root.items[0] as Pair<Node, Node | null>).value : undefined;
  if (!part.readable || part.repeats || !isSeq(own) || own.flow) return undefined;
  if (columnOf(part.text, own.range![0]) !== columnOf(before.text, list.range![0])) return undefined;
  const moved = (own.items as Node[]).map((item) => shifted(item, starts[first]! - head.length));
  const items = [...list.items.slice(0, first), ...moved, ...list.items.slice(behind).map((item) => shifted(item, shift))];
  if (items.length === 0) return undefined;
  const values = stepsOf(before.value);
  const value = { ...(before.value as object), steps: [...values.slice(0, first), ...stepsOf(part.value), ...values.slice(behind)] };
  return { text, readable: true, value, root: withSteps(root, place, list, items, shift), document: before.document, repeats: false };
}

/** Where the line of each step begins, and where the last one ends: with the line of the key behind, or with the text. */
function lineStarts(text: string, list: YAMLSeq<Node>, next: number | undefined): number[] {
  const starts = list.items.map((item) => lineOf(text, item.range![0]));
  const isPlain = list.items.every((item, place) => /^[ \t]*-[ \t]+$/.test(text.slice(starts[place], item.range![0])));
  return isPlain ? [...starts, next === undefined ? text.length : lineOf(text, next)] : [];
}

function columnOf(text: string, offset: number): number {
  return offset - lineOf(text, offset);
}

function lineOf(text: string, offset: number): number {
  return text.lastIndexOf("\n", offset - 1) + 1;
}

function stepsOf(value: unknown): unknown[] {
  const { steps } = value as { steps?: unknown };
  return Array.isArray(steps) ? (steps as unknown[]) : [];
}

function withSteps(root: Pairs, place: number, list: YAMLSeq<Node>, items: Node[], shift: number): Pairs {
  const steps = likeSeq(list, items, [list.range![0], list.range![1] + shift, list.range![2] + shift]);
  const map = new YAMLMap<Node, Node | null>();
  map.range = [root.range![0], root.range![1] + shift, root.range![2] + shift];
  map.items = root.items.map((pair, number) => (number < place ? pair : number === place ? new Pair(pair.key, steps as Node) : new Pair(shifted(pair.key, shift), pair.value && shifted(pair.value, shift))));
  return map;
}

/** A node of which every place is so much further behind. */
function shifted<T extends Node>(node: T, by: number): T {
  if (by === 0) return node;
  const range = node.range && ([node.range[0] + by, node.range[1] + by, node.range[2] + by] as Place);
  if (isMap(node)) {
    const map = new YAMLMap<Node, Node | null>();
    if (node.flow) map.flow = true;
    map.range = range ?? null;
    map.items = (node as Pairs).items.map((pair) => new Pair(shifted(pair.key, by), pair.value && shifted(pair.value, by)));
    return map as Node as T;
  }
  if (isSeq(node)) return likeSeq(node as YAMLSeq<Node>, (node.items as Node[]).map((item) => shifted(item, by)), range) as Node as T;
  const scalar = new Scalar((node as Scalar).value);
  const { type, source } = node as Scalar;
  if (type) scalar.type = type;
  if (source !== undefined) scalar.source = source;
  scalar.range = range ?? null;
  return scalar as Node as T;
}

function likeSeq(list: YAMLSeq<Node>, items: Node[], range: Place | null | undefined): YAMLSeq<Node> {
  const seq = new YAMLSeq<Node>();
  if (list.flow) seq.flow = true;
  seq.range = range ?? null;
  seq.items = items;
  return seq;
}
