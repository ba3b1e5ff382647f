/** Where the steps of an outline stand when they are drawn: laid out each time, never kept. */
import { Graph, layout } from "@dagrejs/dagre";

import type { Step, StepList } from "./steps";

export const STEP = { width: 208, height: 46 };
const DOT = { width: 64, height: 26 };
const PAD = 14;
const HEAD = 46;
const LABEL = 22;
/** From one step to the next. */
const BETWEEN = 30;
/** From one line of steps to another beside it; and where ways between them say when they are taken. */
const BESIDE = 34;
const BESIDE_WORDS = 124;

export interface Box {
  id: string;
  /** undefined: where it begins and ends. */
  step: Step | undefined;
  shape: "step" | "group" | "branch" | "begin" | "end";
  label: string;
  parent: string | undefined;
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Way {
  id: string;
  source: string;
  target: string;
  label: string;
  error: boolean;
  /** Past other steps, or back: drawn at the side. */
  aside: boolean;
}

interface Size {
  width: number;
  height: number;
}

/** Boxes, those of groups before what is in them, with places relative to their group; and the ways between them. */
export function drawn(list: StepList): { boxes: Box[]; ways: Way[]; size: Size } {
  const boxes: Box[] = [];
  const ways: Way[] = [];
  const size = drawList(list.steps, undefined, { x: 0, y: 0 }, boxes, ways, true);
  return { boxes, ways, size };
}

/** What a drawing depends on, as a text: while it is the same, nothing has to be laid out anew. */
export function shapeOf(list: StepList): string {
  const one = (step: Step): unknown => [step.id, step.kind, step.when !== undefined, step.jumps, step.lists.map((inner) => [inner.name, inner.steps.map(one)])];
  return JSON.stringify(list.steps.map(one));
}

export function boxId(step: Step): string {
  return step.path.join("/");
}

function drawList(steps: readonly Step[], parent: string | undefined, at: { x: number; y: number }, boxes: Box[], ways: Way[], ends: boolean): Size {
  const inner = new Map<string, { boxes: Box[]; size: Size }>();
  for (const step of steps) inner.set(boxId(step), drawStep(step, ways));
  const begin = `${parent ?? ""}begin`;
  const end = `${parent ?? ""}end`;
  const own = waysOf(steps, ends ? begin : undefined, ends ? end : undefined);
  const sizes = new Map(steps.map((step) => [boxId(step), inner.get(boxId(step))!.size]));
  const all = new Map(ends ? [[begin, DOT], ...sizes, [end, DOT]] : sizes);
  // What leads aside must not push steps out of their line.
  const line = own.filter((way) => !way.aside);
  const words = own.some((way) => way.aside && way.label);
  const placed = isOneLine([...all.keys()], line) ? below(all) : laidOut(all, line, words ? BESIDE_WORDS : BESIDE);
  const { height, centre } = placed;
  const width = placed.width + (words ? BESIDE_WORDS : 0);
  const place = (id: string, size: Size) => {
    const { x, y } = centre(id);
    return { x: at.x + x - size.width / 2, y: at.y + y - size.height / 2 };
  };
  if (ends) boxes.push({ id: begin, step: undefined, shape: "begin", label: "", parent, ...place(begin, DOT), ...DOT });
  for (const step of steps) {
    const { boxes: within, size } = inner.get(boxId(step))!;
    const [head, ...rest] = within;
    boxes.push({ ...head!, parent, ...place(boxId(step), size) }, ...rest);
  }
  if (ends) boxes.push({ id: end, step: undefined, shape: "end", label: "", parent, ...place(end, DOT), ...DOT });
  ways.push(...own);
  return { width, height };
}

interface Placed extends Size {
  centre: (id: string) => { x: number; y: number };
}

/** Whether each leads to the next one, and nowhere else. */
function isOneLine(ids: readonly string[], ways: readonly Way[]): boolean {
  const next = new Map(ids.map((id, place) => [id, ids[place + 1]]));
  return ways.length === ids.length - 1 && new Set(ways.map((way) => way.source)).size === ways.length && ways.every((way) => next.get(way.source) === way.target);
}

/** One below the other: as the layout would have it, without its work, which hundreds of steps would feel. */
function below(sizes: ReadonlyMap<string, Size>): Placed {
  const width = Math.max(0, ...[...sizes.values()].map((size) => size.width));
  const centres = new Map<string, { x: number; y: number }>();
  let y = 0;
  for (const [id, size] of sizes) {
    centres.set(id, { x: width / 2, y: y + size.height / 2 });
    y += size.height + BETWEEN;
  }
  return { width, height: Math.max(0, y - BETWEEN), centre: (id) => centres.get(id)! };
}

function laidOut(sizes: ReadonlyMap<string, Size>, ways: readonly Way[], beside: number): Placed {
  const dagre = new Graph();
  // The last ranker is the quickest, and what it makes of lists of steps is as good.
  dagre.setGraph({ rankdir: "TB", nodesep: beside, ranksep: BETWEEN, ranker: "longest-path" });
  dagre.setDefaultEdgeLabel(() => ({}));
  for (const [id, size] of sizes) dagre.setNode(id, { ...size });
  for (const way of ways) dagre.setEdge(way.source, way.target);
  layout(dagre);
  const { width = 0, height = 0 } = dagre.graph() as Partial<Size>;
  return { width, height, centre: (id) => dagre.node(id) as { x: number; y: number } };
}

/** A step with everything in it, as if it stood at the top left. */
function drawStep(step: Step, ways: Way[]): { boxes: Box[]; size: Size } {
  const id = boxId(step);
  const full = step.lists.filter((list) => list.steps.length > 0);
  if (full.length === 0) return { boxes: [{ id, step, shape: "step", label: "", parent: undefined, x: 0, y: 0, ...STEP }], size: STEP };
  const within: Box[] = [];
  let [x, height] = [PAD, 0];
  for (const list of full) {
    const branch = list.path.join("/");
    const boxes: Box[] = [];
    const size = drawList(list.steps, branch, { x: PAD, y: PAD + (list.name ? LABEL : 0) }, boxes, ways, false);
    const own = { width: size.width + 2 * PAD, height: size.height + 2 * PAD + (list.name ? LABEL : 0) };
    within.push({ id: branch, step: undefined, shape: "branch", label: list.name, parent: id, x, y: HEAD, ...own }, ...boxes);
    x += own.width + PAD;
    height = Math.max(height, own.height);
  }
  const size = { width: Math.max(x, STEP.width + 2 * PAD), height: HEAD + height + PAD };
  return { boxes: [{ id, step, shape: "group", label: "", parent: undefined, x: 0, y: 0, ...size }, ...within], size };
}

/** Where only a way from further up leads to a step, its line goes on there: beside the others, and not past them. */
function inLine(ways: readonly Way[], order: readonly string[]): Way[] {
  const reached = new Set(ways.flatMap((way) => (way.aside ? [] : [way.target])));
  return ways.map((way) => {
    if (!way.aside || reached.has(way.target) || order.indexOf(way.source) > order.indexOf(way.target)) return way;
    reached.add(way.target);
    return { ...way, aside: false };
  });
}

function waysOf(steps: readonly Step[], begin: string | undefined, end: string | undefined): Way[] {
  const ways: Way[] = [];
  const ids = new Map(steps.map((step) => [step.id, boxId(step)]));
  const add = (source: string, target: string | undefined, label = "", error = false, aside = false) => {
    if (target !== undefined) ways.push({ id: `${source}>${target}:${label}`, source, target, label, error, aside });
  };
  if (begin && steps[0]) add(begin, boxId(steps[0]));
  if (begin && !steps[0]) add(begin, end);
  steps.forEach((step, place) => {
    const next = steps[place + 1] ? boxId(steps[place + 1]!) : end;
    for (const jump of step.jumps) {
      const target = ids.get(jump.goto);
      add(boxId(step), target, jump.when ?? "", jump.error, target !== next);
    }
    if (step.goesOn && !step.jumps.some((jump) => ids.get(jump.goto) === next)) add(boxId(step), next);
    else if (step.kind === "end") add(boxId(step), end);
  });
  return inLine(ways, steps.map(boxId));
}
