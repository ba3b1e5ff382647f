/** What is dragged over the outline or the graph: a kind from the palette, or a step. */
import type { DragEvent } from "react";

import type { Path } from "@/builder/parsed";

export type Dragged = { kind: string } | { step: Path };

let dragged: Dragged | undefined;

export function begin(event: DragEvent, what: Dragged): void {
  dragged = what;
  event.dataTransfer.effectAllowed = "copyMove";
  // Without data some browsers drag nothing.
  event.dataTransfer.setData("text/plain", "kind" in what ? what.kind : what.step.join("."));
}

export function current(): Dragged | undefined {
  return dragged;
}

export function finish(): Dragged | undefined {
  const was = dragged;
  dragged = undefined;
  return was;
}
