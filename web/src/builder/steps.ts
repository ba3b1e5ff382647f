/** The steps of a definition as they are nested in its text, and what can be done with them. */
import { isCollection, isMap, isScalar, type Node, type YAMLMap } from "yaml";

import { insertWritten, move, remove, Refused, renameKey, replaceAll, set, taken, valueAt } from "./edits";
import { find, keyOf, newline, type Parsed, type Path } from "./parsed";

export interface StepList {
  /** The branch's name; empty where the step has one list only. */
  name: string;
  path: Path;
  steps: Step[];
}

export interface Jump {
  goto: string;
  when: string | undefined;
  /** Taken after a failure. */
  error: boolean;
}

export interface Step {
  path: Path;
  id: string;
  /** The key that says what it does; undefined where there is none. */
  kind: string | undefined;
  title: unknown;
  when: string | undefined;
  lists: StepList[];
  jumps: Jump[];
  /** Whether the step after it may follow. */
  goesOn: boolean;
}

/** Where a kind keeps steps of its own: paths in its value, `*` for any name. From the schema, so that none is missed. */
export type Nesting = ReadonlyMap<string, readonly Path[]>;

/** The steps of a text, as far as it has any. */
export function outline(value: unknown, nesting: Nesting): StepList {
  const steps = isObject(value) ? value["steps"] : undefined;
  return { name: "", path: ["steps"], steps: stepsIn(steps, ["steps"], nesting) };
}

function stepsIn(value: unknown, path: Path, nesting: Nesting): Step[] {
  if (!Array.isArray(value)) return [];
  return value.map((one, place) => stepOf(one, [...path, place], nesting));
}

function stepOf(value: unknown, path: Path, nesting: Nesting): Step {
  const step = isObject(value) ? value : {};
  const kind = Object.keys(step).find((name) => nesting.has(name));
  const own = kind === undefined ? undefined : step[kind];
  const lists = (kind === undefined ? [] : nesting.get(kind)!).flatMap((pattern) => listsAt(own, pattern, [...path, kind!], nesting));
  const jumps = [...jumpsIn(own), ...(isObject(step["onError"]) ? jumpsIn(step["onError"]).map((one) => ({ ...one, error: true })) : [])];
  return {
    path,
    id: typeof step["id"] === "string" ? step["id"] : "",
    kind,
    title: step["title"],
    when: typeof step["when"] === "string" ? step["when"] : undefined,
    lists,
    jumps,
    goesOn: kind !== "end" && kind !== "fail" && !(kind === "switch" && jumps.some((one) => one.when === undefined && !one.error)),
  };
}

function listsAt(value: unknown, pattern: Path, path: Path, nesting: Nesting): StepList[] {
  const [part, ...rest] = pattern;
  if (part === undefined) return [{ name: nameOf(path), path, steps: stepsIn(value, path, nesting) }];
  if (!isObject(value)) return [];
  const names = part === "*" ? Object.keys(value) : String(part) in value ? [String(part)] : [];
  return names.flatMap((name) => listsAt(value[name], rest, [...path, name], nesting));
}

function nameOf(path: Path): string {
  const last = String(path.at(-1));
  return last === "steps" ? "" : last;
}

/** Every `goto` in a kind's own value; those of steps inside of it are theirs. */
function jumpsIn(value: unknown): Jump[] {
  if (Array.isArray(value)) return value.some((one) => isObject(one) && "id" in one) ? [] : value.flatMap(jumpsIn);
  if (!isObject(value)) return [];
  const { goto, when } = value;
  if (typeof goto === "string") return [{ goto, when: typeof when === "string" ? when : undefined, error: false }];
  return Object.values(value).flatMap(jumpsIn);
}

/** All steps, those inside of others behind them. */
export function everyStep(list: StepList): Step[] {
  return list.steps.flatMap((step) => [step, ...step.lists.flatMap(everyStep)]);
}

/** The list that a step is in, and its place there. */
export function placeIn(path: Path): { list: Path; index: number } {
  return { list: path.slice(0, -1), index: Number(path.at(-1)) };
}

/** An id that no step has yet: `form`, `form2`… */
export function freeId(list: StepList, wanted: string): string {
  const ids = new Set(everyStep(list).map((step) => step.id));
  if (!ids.has(wanted)) return wanted;
  let number = 2;
  while (ids.has(`${wanted}${number}`)) number += 1;
  return `${wanted}${number}`;
}

/** Put a step somewhere: as written, from the first column, without a dash. */
export function addStep(parsed: Parsed, list: Path, index: number, text: string): Parsed {
  return insertWritten(parsed, list, index, text);
}

/** Put a step elsewhere, possibly into another list; `index` counts without the step itself. */
export function moveStep(parsed: Parsed, from: Path, list: Path, index: number): Parsed {
  const here = placeIn(from);
  if (samePath(here.list, list)) return move(parsed, from, index);
  if (samePath(list.slice(0, from.length), from)) throw new Refused("a step cannot be put into itself");
  const text = taken(parsed, from);
  // The place in the other list first: what is taken away afterwards may stand behind it.
  const there = insertWritten(parsed, list, index, text);
  return remove(there, shifted(from, list, index, 1));
}

/** Where something stands after `by` items were put into a list at `index`. */
export function shifted(path: Path, list: Path, index: number, by: number): Path {
  const at = path[list.length];
  if (!samePath(path.slice(0, list.length), list) || typeof at !== "number" || at < index) return path;
  return [...path.slice(0, list.length), at + by, ...path.slice(list.length + 1)];
}

/** The same step again, behind it, under another id. Steps inside of it get others as well. */
export function duplicateStep(parsed: Parsed, step: Step, all: StepList): Parsed {
  const { list, index } = placeIn(step.path);
  let now = insertWritten(parsed, list, index + 1, taken(parsed, step.path));
  const ids = new Set(everyStep(all).map((one) => one.id));
  for (const one of [step, ...step.lists.flatMap(everyStep)]) {
    const path = [...list, index + 1, ...one.path.slice(step.path.length)];
    const base = one.id.replace(/[0-9]+$/, "") || "step";
    let number = 2;
    while (ids.has(`${base}${number}`)) number += 1;
    ids.add(`${base}${number}`);
    now = set(now, [...path, "id"], `${base}${number}`);
  }
  return now;
}

/** Give a step another id, everywhere: jumps and expressions follow. */
export function renameStep(parsed: Parsed, path: Path, id: string): Parsed {
  const old = valueAt(parsed, [...path, "id"]);
  if (old === id) return parsed;
  if (typeof old !== "string" || !old) return set(parsed, [...path, "id"], id);
  const parts: { from: number; to: number; insert: string }[] = [];
  const walk = (node: Node | null, key: string): void => {
    if (isCollection(node)) {
      if (isMap(node)) for (const pair of (node as YAMLMap<Node, Node | null>).items) walk(pair.value, keyOf(pair) ?? "");
      else for (const one of node.items as Node[]) walk(one, key);
    } else if (node && isScalar(node) && typeof node.value === "string") {
      const [from, to] = node.range!;
      const source = parsed.text.slice(from, to);
      if (key === "goto" && node.value === old) parts.push(...found(source, from, new RegExp(`\\b${old}\\b`, "g"), id));
      else parts.push(...references(source, from, key, old, id));
    }
  };
  walk(parsed.root, "");
  const own = find(parsed, [...path, "id"])!.node!.range!;
  parts.push(...found(parsed.text.slice(own[0], own[1]), own[0], new RegExp(`\\b${old}\\b`, "g"), id));
  return replaceAll(parsed, parts);
}

const EXPRESSIONS = new Set(["when", "visibleWhen", "until"]);

function references(source: string, from: number, key: string, old: string, id: string) {
  const name = new RegExp(`(?<![\\w.])steps(\\s*\\.\\s*)${old}\\b`, "g");
  if (EXPRESSIONS.has(key) && !source.includes("${")) return found(source, from, name, (match) => `steps${match[1]}${id}`);
  const parts = [];
  for (const inside of source.matchAll(/\$\{[^}]*\}/g)) {
    parts.push(...found(inside[0], from + inside.index, name, (match) => `steps${match[1]}${id}`));
  }
  return parts;
}

function found(source: string, from: number, pattern: RegExp, insert: string | ((match: RegExpMatchArray) => string)) {
  return [...source.matchAll(pattern)].map((match) => ({
    from: from + match.index,
    to: from + match.index + match[0].length,
    insert: typeof insert === "string" ? insert : insert(match),
  }));
}

/** Put neighbouring steps into a `parallel`, a branch each, or all into an `each`. */
export function wrapSteps(parsed: Parsed, list: Path, from: number, count: number, kind: "parallel" | "each", id: string): Parsed {
  const eol = newline(parsed.text);
  const texts = Array.from({ length: count }, (_, place) => taken(parsed, [...list, from + place]));
  const ids = texts.map((_, place) => {
    const own = valueAt(parsed, [...list, from + place, "id"]);
    return typeof own === "string" ? own : `branch${place + 1}`;
  });
  const items = texts.map((text) => asItem(text));
  const lines =
    kind === "each"
      ? [`id: ${id}`, "each:", '  in: "${parameters.items}"', "  steps:", ...items.map((one) => indented(one, 4))]
      : [`id: ${id}`, "parallel:", "  branches:", ...items.flatMap((one, place) => [`    ${ids[place]}:`, indented(one, 6)])];
  if (kind === "parallel" && count < 2) {
    lines.push("    other:", `      - id: ${id}Other`, "        set: {done: true}");
  }
  let now = insertWritten(parsed, list, from, lines.join(eol));
  for (let place = 0; place < count; place += 1) now = remove(now, [...list, from + 1]);
  return now;
}

/** Put the steps inside of a step where it stands. */
export function unwrapStep(parsed: Parsed, step: Step): Parsed {
  const inner = step.lists.flatMap((one) => one.steps);
  if (inner.length === 0) throw new Refused("there are no steps in it");
  const { list, index } = placeIn(step.path);
  let now = parsed;
  inner.forEach((one, place) => (now = insertWritten(now, list, index + 1 + place, taken(parsed, one.path))));
  return remove(now, step.path);
}

/** Give a branch another name. */
export function renameBranch(parsed: Parsed, path: Path, name: string): Parsed {
  return renameKey(parsed, path, name);
}

function asItem(text: string): string {
  const comment = /^(?:[ \t]*#[^\n]*\n)*/.exec(text)![0];
  return `${comment}- ${text.slice(comment.length).replace(/\n(?!\r?\n|$)/g, "\n  ")}`;
}

function indented(text: string, columns: number): string {
  return text.replace(/^(?!\r?$)/gm, " ".repeat(columns));
}

export function samePath(one: Path, other: Path): boolean {
  return one.length === other.length && one.every((part, place) => part === other[place]);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
