import { useTranslation } from "react-i18next";

import { namesFor } from "@/builder/names";
import type { Step, StepList } from "@/builder/steps";
import { useBuilder } from "./state";
import css from "./Builder.module.css";

const MOST = 12;

/** What later steps can read of a step. */
export function Expected({ step }: { step: Step }) {
  const { drawn, list } = useBuilder();
  const { t } = useTranslation("builder");
  const names = namesOf(drawn.value, list, step.id);
  if (names.length === 0) return null;
  return (
    <p className={css.reads}>
      <span className="quiet">{t("reads")}</span>{" "}
      {names.slice(0, MOST).map((name) => (
        <code key={name}>{name}</code>
      ))}
      {names.length > MOST && <span className="quiet">+{names.length - MOST}</span>}
    </p>
  );
}

function namesOf(document: unknown, list: StepList, id: string): string[] {
  return namesFor(document, list, undefined, []).flatMap((one) => (one.name.startsWith(`steps.${id}.`) ? [one.name] : []));
}
