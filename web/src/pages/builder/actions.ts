/** What can be done with steps, from the palette, the outline, the graph and the keyboard alike. */
import { useTranslation } from "react-i18next";

import { remove, set, valueAt } from "@/builder/edits";
import { newStep, type Words } from "@/builder/kinds";
import type { Path } from "@/builder/parsed";
import { addStep, duplicateStep, everyStep, freeId, moveStep, placeIn, samePath, unwrapStep, wrapSteps, type Step } from "@/builder/steps";
import { placeForNew, useBuilder, type Builder } from "./state";

export interface StepActions {
  add: (kind: string, place?: { list: Path; index: number }) => void;
  move: (from: Path, list: Path, index: number) => void;
  shift: (step: Step, by: -1 | 1) => void;
  duplicate: (step: Step) => void;
  remove: (step: Step) => void;
  wrap: (step: Step, kind: "parallel" | "each", count: number) => void;
  unwrap: (step: Step) => void;
  /** Let a step lead to another one: a case of a `switch`, which is put behind the step where it is none. */
  connect: (from: Step, to: Step) => void;
}

export function useStepActions(): StepActions {
  const builder = useBuilder();
  const { t } = useTranslation("builder");
  const { edit, select, list } = builder;
  // Asked for as a step is made: every box of the graph has these actions.
  const words = (): Words => ({
    titles: { form: t("new.form"), upload: t("new.upload"), consent: t("new.consent"), message: t("new.message"), email: t("new.email"), review: t("new.review") },
    text: t("new.text"),
    agree: t("new.agree"),
    name: t("new.name"),
    letter: t("new.letter"),
    refusal: t("new.refusal"),
  });
  return {
    add: (kind, place = placeForNew(list, builder.selected)) => {
      const text = newStep(kind, { ...situation(builder), words: words(), id: freeId(list, kind), language: builder.language });
      if (edit((parsed) => addStep(parsed, place.list, place.index, text))) select([...place.list, place.index]);
    },
    move: (from, to, index) => {
      const here = placeIn(from);
      const within = samePath(here.list, to);
      const target = within && here.index < index ? index - 1 : index;
      if (edit((parsed) => moveStep(parsed, from, to, target))) select(movedTo(from, to, target));
    },
    shift: (step, by) => {
      const { list: around, index } = placeIn(step.path);
      if (index + by < 0) return;
      if (edit((parsed) => moveStep(parsed, step.path, around, index + by))) select([...around, index + by]);
    },
    duplicate: (step) => {
      const { list: around, index } = placeIn(step.path);
      if (edit((parsed) => duplicateStep(parsed, step, list))) select([...around, index + 1]);
    },
    remove: (step) => {
      const { list: around, index } = placeIn(step.path);
      if (edit((parsed) => remove(parsed, step.path))) select(index > 0 ? [...around, index - 1] : around.length > 1 ? around : []);
    },
    wrap: (step, kind, count) => {
      const { list: around, index } = placeIn(step.path);
      if (edit((parsed) => wrapSteps(parsed, around, index, count, kind, freeId(list, kind)))) select([...around, index]);
    },
    unwrap: (step) => {
      if (edit((parsed) => unwrapStep(parsed, step))) select(step.path);
    },
    connect: (from, to) => {
      if (from.kind === "switch") {
        const path = [...from.path, "switch"];
        const cases = valueAt(builder.parsed, path);
        const last = Array.isArray(cases) ? cases.findIndex((one) => typeof one === "object" && one !== null && !("when" in one)) : -1;
        const place = last >= 0 ? last : Array.isArray(cases) ? cases.length : 0;
        edit((parsed) => set(parsed, [...path, place], { when: "true", goto: to.id }));
        select(from.path);
        return;
      }
      const { list: around, index } = placeIn(from.path);
      const id = freeId(list, "switch");
      const text = `id: ${id}\nswitch:\n  - {when: "true", goto: ${to.id}}`;
      if (edit((parsed) => addStep(parsed, around, index + 1, text))) select([...around, index + 1]);
    },
  };
}

/** Where a step stands after it was put into a list: what was before that list may have moved up. */
function movedTo(from: Path, list: Path, index: number): Path {
  const here = placeIn(from);
  const at = list[here.list.length];
  const before = samePath(list.slice(0, here.list.length), here.list) && typeof at === "number" && at > here.index;
  const moved = before ? [...here.list, at - 1, ...list.slice(here.list.length + 1)] : list;
  return [...moved, index];
}

function situation(builder: Builder) {
  const steps = everyStep(builder.list);
  const form = steps.find((one) => one.kind === "form");
  const names = builder.names.filter((one) => one.name.startsWith("steps.")).map((one) => one.name);
  const email = names.find((name) => /mail/i.test(name));
  return {
    step: steps.at(-1)?.id,
    table: builder.tables[0]?.name,
    definition: undefined,
    list: undefined,
    value: email && form ? `\${${email}}` : undefined,
    email: email && form ? `\${${email}}` : undefined,
  };
}
