/** What changed between two revisions, step by step: not by line. */
import { differences, type Difference } from "@/components/difference";

export interface StepChange {
  /** The step's id; undefined for what stands outside of the steps. */
  step: string | undefined;
  kind: string | undefined;
  change: "added" | "removed" | "moved" | "changed";
  differences: Difference[];
}

type Step = Record<string, unknown> & { id: string };

/** Steps of either side in their order, those within others behind them. */
interface Placed {
  step: Step;
  before: string | undefined;
}

export function stepChanges(left: unknown, right: unknown): StepChange[] {
  const [old, now] = [stepsOf(left), stepsOf(right)];
  const changes: StepChange[] = [];
  const outside = differences(withoutSteps(left), withoutSteps(right));
  if (outside.length > 0) changes.push({ step: undefined, kind: undefined, change: "changed", differences: outside });
  for (const [id, placed] of now) {
    const was = old.get(id);
    const kind = kindOf(placed.step);
    if (!was) {
      changes.push({ step: id, kind, change: "added", differences: differences({}, withoutSteps(placed.step)) });
      continue;
    }
    const found = differences(withoutSteps(was.step), withoutSteps(placed.step));
    const moved = stillThere(was.before, now) !== stillThere(placed.before, old);
    if (found.length > 0) changes.push({ step: id, kind, change: "changed", differences: found });
    else if (moved) changes.push({ step: id, kind, change: "moved", differences: [] });
  }
  for (const [id, was] of old) {
    if (!now.has(id)) changes.push({ step: id, kind: kindOf(was.step), change: "removed", differences: [] });
  }
  return changes;
}

/** The step before, if the other side has it, too: a neighbour that went moves nobody. */
function stillThere(id: string | undefined, other: ReadonlyMap<string, Placed>): string | undefined {
  return id !== undefined && other.has(id) ? id : undefined;
}

function stepsOf(value: unknown, found = new Map<string, Placed>()): Map<string, Placed> {
  if (typeof value !== "object" || value === null) return found;
  if (Array.isArray(value)) {
    let before: string | undefined;
    for (const one of value as unknown[]) {
      if (isStep(one)) {
        found.set(one.id, { step: one, before });
        before = one.id;
      }
      stepsOf(one, found);
    }
    return found;
  }
  for (const part of Object.values(value)) stepsOf(part, found);
  return found;
}

function isStep(value: unknown): value is Step {
  return typeof value === "object" && value !== null && typeof (value as Step).id === "string" && Object.keys(value).length > 1;
}

/** The same without the steps inside: they are compared by themselves. */
function withoutSteps(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value as unknown[];
    return items.some(isStep) ? undefined : items.map(withoutSteps);
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([name, one]) => {
    const kept = withoutSteps(one);
    return kept === undefined ? [] : [[name, kept] as const];
  }));
}

const NO_KIND = new Set(["id", "title", "when", "onError", "retry", "timeout", "maxVisits", "background"]);

function kindOf(step: Step): string | undefined {
  return Object.keys(step).find((name) => !NO_KIND.has(name));
}
