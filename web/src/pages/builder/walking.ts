/** Clicking through the pages of a definition: which page follows, and what was clicked as a scenario. */
import { api, got } from "@/api/client";
import { ApiError, type Problem } from "@/api/errors";
import { inWords } from "@/api/refusals";
import { CLIENT } from "@/app/auth";
import { under } from "@/app/prefix";
import { outsideOf, withScenario } from "@/builder/scenarios";
import type { StepList } from "@/builder/steps";

export interface Walk {
  /** What was answered, by step. */
  answers: Record<string, unknown>;
  /** What later pages can read. */
  outputs: Record<string, unknown>;
}

export interface TriedPage {
  html: string;
  taken: boolean;
  answer: unknown;
}

/** A page of a text that is not kept. It is no part of the public API: it is of use to this page only. */
export async function tried(body: object): Promise<TriedPage> {
  const answer = await fetch(under("/definitions/preview"), {
    method: "POST",
    headers: { ...CLIENT, Accept: "application/json;version=2", "Content-Type": "application/json" },
    credentials: "same-origin",
    body: JSON.stringify(body),
  });
  if (answer.ok) return (await answer.json()) as TriedPage;
  const { errors = [] } = (await answer.json().catch(() => ({}))) as { errors?: Problem[] };
  throw new ApiError(answer.status, await inWords(errors), undefined, "POST /definitions/preview");
}

/** Where an execution would wait after these answers: steps by id; undefined where nobody can tell. */
export async function nextPage(text: string, list: StepList, document: unknown, walk: Walk): Promise<{ waiting: string[] | undefined }> {
  const scenario = { name: "preview", answers: bodies(walk), expect: { waitingFor: ["-"] } };
  const scenarios = JSON.stringify({ common: { answers: outsideOf(list, document) }, scenarios: [scenario] });
  const trial = await got(api.POST("/definitions/test", { body: { text, scenarios } }));
  const [outcome] = trial.scenarios;
  if (!outcome || outcome.problems.length > 0) return { waiting: undefined };
  const found = outcome.differences.find((one) => one.where.startsWith("waitingFor"));
  return { waiting: Array.isArray(found?.actual) ? found.actual.map(String) : [] };
}

function bodies(walk: Walk): Record<string, unknown> {
  return Object.fromEntries(Object.entries(walk.answers).map(([id, answer]) => [id, answer === null ? { body: {} } : { body: answer }]));
}

/** The scenarios with what was clicked as one more; the outside answers as it did meanwhile. */
export function recordedAs(scenarios: string, list: StepList, document: unknown, walk: Walk, name: string): string {
  return withScenario(scenarios, name, { ...outsideOf(list, document), ...bodies(walk) });
}
