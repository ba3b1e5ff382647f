import type { Schemas } from "@/api/client";

export type Execution = Schemas["WorkflowAnswer"];
export type Timeline = Schemas["TimelineAnswer"];
export type StepRun = Schemas["StepRunAnswer"];
export type Graph = Schemas["GraphAnswer"];
export type GraphNode = Schemas["NodeAnswer"];

/** Something that an execution rests for, as `waitingFor` has it. */
export interface Wait {
  step: string;
  kind: string;
  path?: string;
  event?: string;
  until?: string;
  attempt?: number;
  workflowId?: string;
  assignTo?: string;
}

/** What an execution waits for. */
export function waits(of: { waitingFor: readonly unknown[] }): Wait[] {
  return of.waitingFor as Wait[];
}

/** The error that an execution or a step ended with. */
export interface Failed {
  code?: string;
  message?: string;
  step?: string;
}

export function failure(error: unknown): Failed | undefined {
  return typeof error === "object" && error !== null ? error : undefined;
}
