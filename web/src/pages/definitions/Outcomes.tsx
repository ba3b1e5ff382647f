/** What came of scenarios, and what none of them came by. */
import { IconAlertTriangle, IconCheck } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import type { Schemas } from "@/api/client";
import { Json } from "@/components/Json";
import { Notice } from "@/components/Notice";
import { Tag } from "@/components/Status";
import css from "./Definitions.module.css";

export function Outcomes({ result }: { result: Schemas["TrialAnswer"] }) {
  const { t } = useTranslation("definitions");
  const failed = result.scenarios.filter((one) => !one.passed).length;
  const missed = [...result.missedSteps, ...result.missedBranches];
  if (result.problems.length > 0) {
    return (
      <Notice tone="bad" title={t("scenarios.wrong")}>
        <ul className={css.problems}>
          {result.problems.map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      </Notice>
    );
  }
  return (
    <>
      <p>
        <Tag tone="good" icon={IconCheck} text={t("scenarios.passed", { count: result.scenarios.length - failed })} />{" "}
        {failed > 0 && <Tag tone="bad" icon={IconAlertTriangle} text={t("scenarios.failed", { count: failed })} />}
      </p>
      <ul className={css.outcomes}>
        {result.scenarios.map((one) => (
          <Outcome key={`${one.line} ${one.name}`} outcome={one} />
        ))}
      </ul>
      {missed.length > 0 && (
        <p className="quiet">
          {t("scenarios.missed")} <span className="mono">{missed.join(", ")}</span>
        </p>
      )}
    </>
  );
}

function Outcome({ outcome }: { outcome: Schemas["ScenarioAnswer"] }) {
  const { t } = useTranslation("definitions");
  return (
    <li>
      <details open={!outcome.passed}>
        <summary>
          <Tag tone={outcome.passed ? "good" : "bad"} icon={outcome.passed ? IconCheck : IconAlertTriangle} text={t(outcome.passed ? "scenarios.ok" : "scenarios.broken")} />{" "}
          {outcome.name} <span className="quiet">{t("scenarios.line", { line: outcome.line })}</span>
        </summary>
        {outcome.problems.map((problem) => (
          <p key={problem}>{problem}</p>
        ))}
        <dl className={css.values}>
          {outcome.differences.map((one) => (
            <div key={one.where}>
              <dt>{one.where}</dt>
              <dd className={css.old}>
                <span className={css.unseen}>{t("scenarios.expected")}</span>
                <Json value={one.expected} />
              </dd>
              <dd className={css.new}>
                <span className={css.unseen}>{t("scenarios.actual")}</span>
                <Json value={one.actual} />
              </dd>
            </div>
          ))}
        </dl>
        <p className="quiet mono">{outcome.path.join(" → ")}</p>
      </details>
    </li>
  );
}
