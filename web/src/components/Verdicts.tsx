import { IconAlertTriangle, IconArrowsExchange, IconCheck } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import type { Schemas } from "@/api/client";
import { Tag } from "./Status";
import css from "./Verdicts.module.css";

/** What would become, or became, of executions that are to run another revision, with the reasons. */
export function Verdicts({ migration }: { migration: Schemas["MigrationAnswer"] }) {
  const { t } = useTranslation();
  const { safe, needsMapping, refused } = migration.verdicts;
  return (
    <section aria-label={t("verdicts.way", { from: migration.from, to: migration.to })} className={css.verdicts}>
      <p className={css.counts}>
        <strong>{t("verdicts.way", { from: migration.from, to: migration.to })}</strong>
        <Tag tone="good" icon={IconCheck} text={t("verdicts.safe", { count: safe })} />
        {needsMapping > 0 && <Tag tone="warn" icon={IconArrowsExchange} text={t("verdicts.mapping", { count: needsMapping })} />}
        {refused > 0 && <Tag tone="bad" icon={IconAlertTriangle} text={t("verdicts.refused", { count: refused })} />}
      </p>
      <ul className={css.reasons}>
        {migration.reasons.map((reason) => (
          <li key={`${reason.code}${reason.step}${reason.message}`}>
            <strong className="numbers">{reason.executions}</strong> {reason.step && <code>{reason.step}</code>} {reason.message}
          </li>
        ))}
      </ul>
    </section>
  );
}
