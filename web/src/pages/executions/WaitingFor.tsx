import { useTranslation } from "react-i18next";

import { failure, waits, type Execution } from "./types";
import css from "./Executions.module.css";

const KNOWN = ["form", "consent", "review", "event", "wait", "workflow", "retry"] as const;

/** In one line: what it waits for, or why it failed. */
export function WaitingFor({ execution }: { execution: Execution }) {
  const { t } = useTranslation("executions");
  const error = execution.status === "FAILED" ? failure(execution.error) : undefined;
  if (error) {
    return (
      <span className={css.line} title={error.message}>
        <span className="mono">{error.code}</span> <span className="quiet">{error.message}</span>
      </span>
    );
  }
  const all = waits(execution);
  const [first] = all;
  if (!first) return null;
  const kind = KNOWN.find((one) => one === first.kind);
  return (
    <span className={css.line}>
      {kind ? t(`waiting.${kind}`) : first.kind} <span className="quiet">{first.path ?? first.step}</span>
      {all.length > 1 && <span className="quiet"> +{all.length - 1}</span>}
    </span>
  );
}
