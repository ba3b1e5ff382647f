/** Changes of a definition's text: as small as they can be, everything around them stays as it was written.
 *
 * Each takes a text that was read and answers the new one. What comes out is read again and compared with what was
 * meant: a text in which the change cannot be made so (`Refused`) is for the person's own hand. */
import { isCollection, isMap, isScalar, type Node, type YAMLMap } from "yaml";

import { layoutOf, type Layout } from "./layout";
import { columnOf, find, keyOf, newline, parse, same, trimmed, type Collection, type Found, type Parsed, type Path } from "./parsed";
import { item, pair, written, type Style } from "./written";

/** The change cannot be made in this text without touching more of it. */
export class Refused extends Error {}

/** Put a value somewhere: what is there is replaced, what is missing is added. `after`: keys that it comes behind; else it is the last one. */
export function set(parsed: Parsed, path: Path, value: unknown, after?: readonly string[]): Parsed {
  const found = find(parsed, path);
  if (found && same(found.node ? valueAt(parsed, path) : undefined, value)) return parsed;
  const text = found ? replaced(parsed, path, found, value) : added(parsed, path, value, after);
  return checked(parsed, text, (root) => put(root, path, value));
}

/** As `set`, and only what is different in it: keys that stay the same stay as they are written. */
export function change(parsed: Parsed, path: Path, value: unknown, after?: readonly string[]): Parsed {
  const old = valueAt(parsed, path);
  if (same(old, value)) return parsed;
  if (isPlain(old) && isPlain(value)) {
    let now = parsed;
    for (const name of Object.keys(old)) if (!(name in value)) now = remove(now, [...path, name]);
    for (const [name, one] of Object.entries(value)) now = change(now, [...path, name], one);
    return now;
  }
  if (Array.isArray(old) && Array.isArray(value) && old.length > 0 && value.length > 0) return changedList(parsed, path, old, value);
  return set(parsed, path, value, after);
}

function changedList(parsed: Parsed, path: Path, old: readonly unknown[], value: readonly unknown[]): Parsed {
  let before = 0;
  while (before < old.length && before < value.length && same(old[before], value[before])) before += 1;
  let after = 0;
  while (after < old.length - before && after < value.length - before && same(old.at(-1 - after), value.at(-1 - after))) after += 1;
  const [gone, come] = [old.length - before - after, value.length - before - after];
  let now = parsed;
  for (let place = 0; place < Math.min(gone, come); place += 1) now = change(now, [...path, before + place], value[before + place]);
  for (let place = come; place < gone; place += 1) now = remove(now, [...path, before + come]);
  for (let place = gone; place < come; place += 1) now = insert(now, path, before + place, value[before + place]);
  return now;
}

/** Take a key or an item away, with its comment. */
export function remove(parsed: Parsed, path: Path): Parsed {
  const { node, place } = placeOf(parsed, path);
  const layout = layoutOf(parsed, node);
  const text = layout.items.length === 1 ? emptied(parsed, path.slice(0, -1), node) : without(parsed.text, layout, place);
  return checked(parsed, text, (root) => {
    const around = valueIn(root, path.slice(0, -1));
    const last = path.at(-1)!;
    if (Array.isArray(around)) around.splice(Number(last), 1);
    else delete (around as Record<string, unknown>)[last];
  });
}

/** Put a value into a list, before the item at `index`. */
export function insert(parsed: Parsed, list: Path, index: number, value: unknown): Parsed {
  return inserted(parsed, list, index, (style) => item(value, style).slice(2), value);
}

/** Put an item into a list as it is written: `text` begins in the first column and has no dash. */
export function insertWritten(parsed: Parsed, list: Path, index: number, text: string): Parsed {
  const value = parse(text).value;
  return inserted(parsed, list, index, (style) => (style.flow ? item(value, style).slice(2) : deeper(text, style.indent + 2)), value);
}

function inserted(parsed: Parsed, list: Path, index: number, core: (style: Style) => string, value: unknown): Parsed {
  const found = find(parsed, list);
  if (!found?.node || !isCollection(found.node) || isMap(found.node)) {
    return set(parsed, list, [value]);
  }
  const style = styleIn(parsed, found.node as Collection, list);
  const body = core(style);
  const text = withItem(parsed, list, found.node as Collection, index, style.flow ? body : `- ${body}`);
  return checked(parsed, text, (root) => (valueIn(root, list) as unknown[]).splice(index, 0, structuredClone(value)));
}

/** Put an item or a key elsewhere in what it is in. Blank lines stay where they are. */
export function move(parsed: Parsed, path: Path, to: number): Parsed {
  const { node, place } = placeOf(parsed, path);
  if (place === to) return parsed;
  const { items } = layoutOf(parsed, node);
  const order = items.map((_, number) => number);
  order.splice(to, 0, ...order.splice(place, 1));
  const [first, last] = [Math.min(place, to), Math.max(place, to)];
  let text = "";
  for (let number = first; number <= last; number += 1) {
    const range = items[order[number]!]!;
    text += parsed.text.slice(range.from, range.to);
    if (number < last) text += parsed.text.slice(items[number]!.to, items[number + 1]!.from);
  }
  return checked(parsed, spliced(parsed.text, items[first]!.from, items[last]!.to, text), (root) => {
    const around = valueIn(root, path.slice(0, -1));
    if (Array.isArray(around)) around.splice(to, 0, ...(around.splice(place, 1) as unknown[]));
  });
}

/** An item or key as it is written, as if it stood in the first column; of an item, without its dash. */
export function taken(parsed: Parsed, path: Path): string {
  const { node, place } = placeOf(parsed, path);
  const layout = layoutOf(parsed, node);
  const range = layout.items[place]!;
  const text = parsed.text.slice(range.from, range.to);
  if (layout.flow || isMap(node)) return layout.flow ? text : shallower(text, layout.column);
  const dash = parsed.text.indexOf("-", commentEnd(text) + range.from);
  const inside = /^-[ \t]*/.exec(parsed.text.slice(dash))![0].length;
  const comment = shallower(parsed.text.slice(range.from, dash), layout.column);
  return comment + shallower(parsed.text.slice(dash + inside, range.to), layout.column + inside);
}

/** Where the comment lines that an item begins with end. */
function commentEnd(text: string): number {
  return /^(?:[ \t]*#[^\n]*\n)*/.exec(text)![0].length;
}

/** Give a key another name. */
export function renameKey(parsed: Parsed, path: Path, name: string): Parsed {
  const found = find(parsed, path);
  const key = found?.pair?.key;
  if (!key?.range || !isScalar(key)) throw new Refused("there is no such key");
  const style = styleIn(parsed, found!.parent!, path.slice(0, -1));
  const [written] = pair(name, 0, style).split(/:[ ]0$/);
  return checked(parsed, spliced(parsed.text, key.range[0], key.range[1], written!), (root) => {
    const around = valueIn(root, path.slice(0, -1)) as Record<string, unknown>;
    around[name] = around[path.at(-1)!];
    delete around[path.at(-1)!];
  });
}

/** Replace parts of the text at once. What is meant is not checked but for being readable. */
export function replaceAll(parsed: Parsed, parts: readonly { from: number; to: number; insert: string }[]): Parsed {
  let text = parsed.text;
  for (const part of [...parts].sort((one, other) => other.from - one.from)) text = spliced(text, part.from, part.to, part.insert);
  const after = parse(text);
  if (!after.readable) throw new Refused("the text could not be read afterwards");
  return after;
}

function replaced(parsed: Parsed, path: Path, found: Found, value: unknown): string {
  const { text } = parsed;
  if (found.borrowed) throw new Refused("this stands at another place of the text, and is named here");
  const node = found.node;
  if (!found.parent) throw new Refused("the whole text cannot be replaced");
  const style = styleIn(parsed, found.parent, path.slice(0, -1));
  const like = node && isScalar(node) ? ((node).type) : undefined;
  const isItem = !found.pair;
  const inner = innerStyle(style, value, isItem);
  const asFlow = node && isCollection(node) && node.flow ? { ...inner, flow: true } : inner;
  const lines = written(value, asFlow, like);
  const body = isItem && lines.startsWith(style.eol) ? lines.slice(style.eol.length).trimStart() : lines;
  const fresh = !node?.range || node.range[1] <= node.range[0];
  const from = found.pair ? behindColon(text, found.pair.key.range![1]) : node!.range![0];
  const begin = fresh ? from : node.range![0];
  const [after, to] = noted(text, fresh ? from : endOf(parsed, node), body, style.eol);
  if (isItem) return spliced(text, begin, to, after);
  const between = text.slice(from, begin);
  const note = /[ \t]*#[^\r\n]*/.exec(between)?.[0] ?? "";
  if (body.startsWith(style.eol)) return spliced(text, from, to, note + after);
  if (fresh || /[\r\n]/.test(between)) return spliced(text, from, to, ` ${after}${note}`);
  return spliced(text, begin, to, after);
}

/** What is to stand before `to`, and up to where it replaces the text: a comment at the end of the line stays in the first of several. */
function noted(text: string, to: number, body: string, eol: string): [string, number] {
  const first = body.indexOf(eol);
  const note = first < 0 ? undefined : /^[ \t]+#[^\r\n]*/.exec(text.slice(to))?.[0];
  return note === undefined ? [body, to] : [spliced(body, first, first, note), to + note.length];
}

function added(parsed: Parsed, path: Path, value: unknown, after?: readonly string[]): string {
  const around = path.slice(0, -1);
  const name = path.at(-1);
  const found = find(parsed, around);
  if (path.length === 0 || !found) {
    if (path.length > 1 && typeof name === "string") return set(parsed, around, { [name]: value }).text;
    throw new Refused("there is nothing that it could be added to");
  }
  if (typeof name === "number") return insert(parsed, around, name, value).text;
  if (!found.node || !isMap(found.node)) return set(parsed, around, { [String(name)]: value }).text;
  const map = found.node as YAMLMap<Node, Node | null>;
  const style = styleIn(parsed, map, around);
  const names = map.items.map((one) => keyOf(one) ?? "");
  const place = after ? behind(names, after) : names.length;
  return withItem(parsed, around, map, place, pair(String(name), value, style));
}

function behind(names: readonly string[], before: readonly string[]): number {
  return names.reduce((place, name, number) => (before.includes(name) ? number + 1 : place), 0);
}

function withItem(parsed: Parsed, path: Path, node: Collection, index: number, core: string): string {
  const { text } = parsed;
  const layout = layoutOf(parsed, node);
  const { items } = layout;
  if (items.length === 0) return intoEmpty(parsed, path, node, core);
  const gap = gapNear(text, layout, index);
  if (index === 0) return spliced(text, items[0]!.from, items[0]!.from, core + gap);
  const after = items[Math.min(index, items.length) - 1]!.to;
  return spliced(text, after, after, gap + core);
}

/** What stands between items here: a comma, or a line break with or without a blank line. */
function gapNear(text: string, layout: Layout, index: number): string {
  const { items } = layout;
  const place = Math.min(Math.max(index, 1), items.length - 1);
  const near = items.length > 1 ? text.slice(items[place - 1]!.to, items[place]!.from) : "";
  if (layout.flow) return /^\s*,\s*$/.test(near) ? near : ", ";
  const eol = newline(text);
  const blank = near.split("\n").length > 2 && near.split(/\r?\n/).slice(1, -1).some((line) => line.trim() === "");
  return eol + (blank ? eol : "") + " ".repeat(layout.column);
}

function intoEmpty(parsed: Parsed, path: Path, node: Collection, core: string): string {
  const { text } = parsed;
  const [from, to] = node.range!;
  const found = find(parsed, path)!;
  const brackets = isMap(node) ? ["{", "}"] : ["[", "]"];
  const style = styleIn(parsed, node, path);
  if (style.json || inFlow(parsed, path)) return spliced(text, from, to, brackets[0] + core.replace(/^- /, "") + brackets[1]);
  const eol = newline(text);
  if (!found.pair) {
    const [lines, end] = noted(text, to, core, eol);
    return spliced(text, from, end, lines);
  }
  const colon = behindColon(text, found.pair.key.range![1]);
  const column = columnOf(text, found.pair.key.range![0]);
  const pad = column + (isMap(node) || style.deepLists ? style.step : 0);
  // `core` was written for the column of the brackets: it is put into that of a list or mapping in lines.
  const [lines, end] = noted(text, to, eol + " ".repeat(pad) + deeper(shallower(core, style.indent), pad), eol);
  return spliced(text, colon, end, lines);
}

function inFlow(parsed: Parsed, path: Path): boolean {
  const around = find(parsed, path.slice(0, -1))?.node;
  return isCollection(around) && around.flow === true;
}

function emptied(parsed: Parsed, path: Path, node: Collection): string {
  const { text } = parsed;
  const found = find(parsed, path)!;
  const brackets = isMap(node) ? "{}" : "[]";
  if (node.flow) return spliced(text, node.range![0], node.range![1], brackets);
  if (!found.pair) {
    if (!found.parent) throw new Refused("the last key of a text cannot be taken away");
    return spliced(text, node.range![0], endOf(parsed, node), brackets);
  }
  const colon = behindColon(text, found.pair.key.range![1]);
  const note = /^[ \t]+#[^\r\n]*/.exec(text.slice(colon))?.[0] ?? "";
  return spliced(text, colon, layoutOf(parsed, node).whole.to, ` ${brackets}${note}`);
}

function without(text: string, layout: Layout, place: number): string {
  const { items } = layout;
  const [before, here, after] = [items[place - 1], items[place]!, items[place + 1]];
  const clean = (from: number, to: number) => !text.slice(from, to).includes("#");
  if (before && clean(before.to, here.from)) return spliced(text, before.to, here.to, "");
  if (after && clean(here.to, after.from)) return spliced(text, here.from, after.from, "");
  if (layout.flow) throw new Refused("a comment stands where the comma is");
  if (before) return spliced(text, text.lastIndexOf("\n", here.from - 1), here.to, "");
  return spliced(text, here.from, here.to + /^\s*/.exec(text.slice(here.to))![0].length, "");
}

function placeOf(parsed: Parsed, path: Path): { node: Collection; place: number } {
  const found = find(parsed, path);
  if (!found?.parent || found.borrowed) throw new Refused("this stands at another place of the text, and is named here");
  const node = found.parent;
  if (!isMap(node)) return { node, place: Number(path.at(-1)) };
  return { node, place: (node).items.indexOf(found.pair!) };
}

/** How what is added to a collection is written. `indent`: the column of its keys or dashes. */
function styleIn(parsed: Parsed, node: Collection, path: Path): Style {
  const { text } = parsed;
  const root = parsed.root;
  const json = isMap(root) && root.flow === true && /^\s*\{\s*(?:"|\})/.test(text);
  // Empty brackets make way for lines, unless they stand in brackets themselves.
  const flow = node.flow === true && (node.items.length > 0 || json || inFlow(parsed, path));
  return {
    flow,
    json,
    indent: layoutOf(parsed, node).column,
    step: stepOf(text),
    deepLists: !/^([ ]*)(?:- )?[^\s#-][^\n]*:[ \t]*\r?\n\1- /m.test(text),
    eol: newline(text),
  };
}

function innerStyle(style: Style, value: unknown, isItem: boolean): Style {
  if (isItem) return { ...style, indent: style.indent + 2 };
  return { ...style, indent: style.indent + (Array.isArray(value) && !style.deepLists ? 0 : style.step) };
}

function stepOf(text: string): number {
  const found = /^[^\s#-][^\n]*:[ \t]*(?:#[^\n]*)?\r?\n(?:[ \t]*(?:#[^\n]*)?\r?\n)*( +)[^\s-]/m.exec(text);
  return found?.[1]?.length ?? 2;
}

function behindColon(text: string, key: number): number {
  return text.indexOf(":", key) + 1;
}

function endOf(parsed: Parsed, node: Node): number {
  const { text } = parsed;
  if (isCollection(node) && !node.flow) return layoutOf(parsed, node as Collection).whole.to;
  const [from, to] = node.range!;
  // Spaces at the end of a text in lines are its own.
  if (isScalar(node) && (node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED")) return from + text.slice(from, to).replace(/(?:\r?\n[ \t]*)+$/, "").length;
  return trimmed(text, to, from);
}

function checked(before: Parsed, text: string, expected: (root: unknown) => void): Parsed {
  const after = parse(text);
  const wanted = structuredClone(before.value);
  expected(wanted);
  if (!after.readable || !same(after.value, wanted)) throw new Refused("this cannot be changed here without touching more of the text");
  return after;
}

/** The value at a path; undefined where there is none. */
export function valueAt(parsed: Parsed, path: Path): unknown {
  return valueIn(parsed.value, path);
}

function valueIn(root: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, part) => (typeof value === "object" && value !== null ? (value as Record<string | number, unknown>)[part] : undefined), root);
}

function put(root: unknown, path: Path, value: unknown): void {
  let here = root as Record<string | number, unknown>;
  path.slice(0, -1).forEach((part, place) => {
    if (typeof here[part] !== "object" || here[part] === null) here[part] = typeof path[place + 1] === "number" ? [] : {};
    here = here[part] as Record<string | number, unknown>;
  });
  here[path.at(-1)!] = structuredClone(value);
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function spliced(text: string, from: number, to: number, insert: string): string {
  return text.slice(0, from) + insert + text.slice(to);
}

/** Lines with so many more spaces before them; the first one stands where it stands. */
export function deeper(text: string, columns: number): string {
  const pad = " ".repeat(columns);
  return text.replace(/\n(?!\r?\n|$)/g, `\n${pad}`);
}

export function shallower(text: string, columns: number): string {
  return text.replace(new RegExp(`\\n {1,${Math.max(1, columns)}}`, "g"), (found) => (columns > 0 ? found.slice(0, 1) : found));
}
