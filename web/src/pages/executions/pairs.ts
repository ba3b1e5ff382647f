/** What is different between two executions, step by step. */
import { differences, type Difference } from "@/components/difference";
import type { StepRun, Timeline } from "./types";

export interface StepPair {
  step: string;
  left: StepRun | undefined;
  right: StepRun | undefined;
  differences: Difference[];
}

/** The last attempt of each step on either side, in the order of the left one; what only the right one has comes last. */
export function pairs(left: Timeline, right: Timeline): StepPair[] {
  const [one, other] = [lastOf(left), lastOf(right)];
  return [...new Set([...one.keys(), ...other.keys()])].map((step) => {
    const [a, b] = [one.get(step), other.get(step)];
    return { step, left: a, right: b, differences: differences(shown(a), shown(b)) };
  });
}

function lastOf(timeline: Timeline): Map<string, StepRun> {
  return new Map(timeline.steps.map((run) => [run.step, run]));
}

function shown(run: StepRun | undefined): unknown {
  return run && { status: run.status, input: run.input, output: run.output, error: run.error };
}
