/** Scenarios that the builder writes: what people answer, and what the world answers meanwhile. */
import { stringify } from "yaml";

import { isField, type Field } from "./fields";
import { sampleOf } from "./samples";
import { everyStep, type Step, type StepList } from "./steps";

export type Answers = Record<string, unknown>;

/** What is answered by others: enough to go on. */
const OUTSIDE: Answers = {
  http: { status: 200, body: {} },
  check: { output: { passed: true, status: "ok", reasons: [], data: {} } },
  email: { output: { messageId: "preview" } },
  event: { body: {} },
  workflow: { output: { result: {} } },
};
/** The checks that ask the outside; the others compute, and get no answer. A plug-in's is answered by hand. */
const ASKING = new Set<unknown>(["vat-vies", "company-register", "sanctions"]);
const PAGES = new Set<string | undefined>(["form", "upload", "consent", "message"]);
const FILE = { resourceName: "file.pdf", type: "application/pdf", size: 1024 };

/** An answer of the outside for each step that asks it. */
export function outsideOf(list: StepList, document: unknown): Answers {
  const asking = everyStep(list).filter((step) => step.kind !== "check" || ASKING.has(valueOf(document, step)["name"]));
  return Object.fromEntries(asking.flatMap((step) => (step.kind && step.kind in OUTSIDE ? [[step.id, OUTSIDE[step.kind]]] : [])));
}

/** An answer for each step that asks somebody or something. */
export function answersFor(list: StepList, document: unknown): Answers {
  const pages = list.steps.filter((step) => PAGES.has(step.kind));
  const people = everyStep(list).flatMap((step) => {
    // The last page of all only says something: nobody is waited for.
    const answer = step.kind === "message" && step === pages.at(-1) ? undefined : answerTo(step, valueOf(document, step));
    return answer === undefined ? [] : [[step.id, answer] as const];
  });
  return { ...outsideOf(list, document), ...Object.fromEntries(people) };
}

/** The scenarios with one more, which comes to its end. */
export function withScenario(scenarios: string, name: string, answers: Answers): string {
  const given = Object.keys(answers).length > 0 ? { answers } : {};
  const entry = stringify([{ name, ...given, expect: { status: "COMPLETED" } }]).trimEnd().replace(/^/gm, "  ");
  return `${scenarios.trim() === "" ? "scenarios:" : scenarios.trimEnd()}\n${entry}\n`;
}

function answerTo(step: Step, value: Field): unknown {
  if (step.kind === "form") return { body: sampleOf({ type: "object", ...(isField(value["schema"]) ? value["schema"] : {}) }) };
  if (step.kind === "upload") return { body: { files: [FILE] } };
  if (step.kind === "consent") return { body: { accepted: true } };
  if (step.kind === "message") return { body: {} };
  if (step.kind === "review") return { outcome: Array.isArray(value["outcomes"]) ? String((value["outcomes"] as unknown[])[0]) : "approve" };
  return undefined;
}

function valueOf(document: unknown, step: Step): Field {
  const found = [...step.path, step.kind ?? ""].reduce<unknown>((value, part) => (typeof value === "object" && value !== null ? (value as Record<string | number, unknown>)[part] : undefined), document);
  return isField(found) ? found : {};
}
