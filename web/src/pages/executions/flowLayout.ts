/** Where the points of a graph stand, and which of them an execution came by. */
import { Graph as Dagre, layout } from "@dagrejs/dagre";

import { waits, type Graph, type GraphNode, type Timeline } from "./types";

export type Mark = "done" | "failed" | "here" | "skipped" | "untouched";

export interface Point extends Record<string, unknown> {
  id: string;
  step: string | null;
  kind: string | null;
  title: unknown;
  shape: GraphNode["shape"];
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Way {
  source: string;
  target: string;
  label: string;
  error: boolean;
}

const STEP = { width: 190, height: 42 };
const DOT = { width: 62, height: 24 };
const OTHERWISE = "otherwise";
/** Of a label; the whole condition stands at its step. */
const LETTER = 5.4;
const LONGEST = 26;
const SKIP = { width: 14, height: 14 };

/** Lay a graph out from top to bottom. Steps inside of a step stand behind it, in a row of their own. */
export function laidOut(graph: Graph): { points: Point[]; ways: Way[] } {
  const nodes: GraphNode[] = [];
  const ways: Way[] = [];
  gather(graph, nodes, ways);
  const dagre = new Dagre();
  dagre.setGraph({ rankdir: "TB", nodesep: 26, ranksep: 34 });
  dagre.setDefaultEdgeLabel(() => ({}));
  for (const node of nodes) dagre.setNode(node.id, { ...sizeOf(node) });
  for (const way of ways) dagre.setEdge(way.source, way.target, way.label ? { width: way.label.length * LETTER, height: 12, labelpos: "c" } : {});
  layout(dagre);
  const points = nodes.map((node) => {
    const place = dagre.node(node.id) as { x: number; y: number };
    const size = sizeOf(node);
    const { id, step, kind, title, shape } = node;
    return { id, step, kind, title, shape, ...size, x: place.x - size.width / 2, y: place.y - size.height / 2 };
  });
  return { points, ways };
}

function shortened(label: string): string {
  return label.length > LONGEST ? `${label.slice(0, LONGEST - 1)}…` : label;
}

function sizeOf(node: GraphNode) {
  return node.step ? STEP : node.shape === "skip" ? SKIP : DOT;
}

function gather(graph: Graph, nodes: GraphNode[], ways: Way[]): void {
  const asking = new Set(graph.edges.filter(({ label }) => label !== "" && label !== OTHERWISE).map(({ source }) => source));
  // Beside a condition the other way needs no name, and has no room for one.
  ways.push(...graph.edges.map((way) => ({ ...way, label: way.label === OTHERWISE && asking.has(way.source) ? "" : shortened(way.label) })));
  for (const node of graph.nodes) {
    nodes.push(node);
    for (const { name, graph: inner } of node.inner) {
      gather(inner, nodes, ways);
      const first = inner.nodes[0];
      if (first) ways.push({ source: node.id, target: first.id, label: name, error: false });
    }
  }
}

/** What became of each step; steps inside of `each` and `parallel` by their own name. */
export function pathOf(timeline: Timeline): Map<string, Mark> {
  const path = new Map<string, Mark>();
  for (const run of timeline.steps) {
    const mark = run.status === "FAILED" ? "failed" : run.status === "SKIPPED" ? "skipped" : run.status === "RUNNING" ? "here" : "done";
    path.set(lastName(run.step), mark);
  }
  for (const wait of waits(timeline)) path.set(lastName(wait.path ?? wait.step), "here");
  return path;
}

function lastName(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
}
