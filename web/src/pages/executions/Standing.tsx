import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { Notice } from "@/components/Notice";
import { Time } from "@/components/Time";
import { failure, waits, type Execution } from "./types";

/** Where it stands: what it waits for, or why it failed. */
export function Standing({ execution }: { execution: Execution }) {
  const { t } = useTranslation("executions");
  const error = execution.status === "FAILED" ? failure(execution.error) : undefined;
  const all = waits(execution);
  if (error) {
    return (
      <Notice tone="bad" title={error.step ? t("error.what", { step: error.step }) : undefined}>
        <span className="mono">{error.code}</span> {error.message}
      </Notice>
    );
  }
  if (all.length === 0) return null;
  return (
    <Notice tone="warn" title={t("page.waitsFor")}>
      {all.map((wait) => (
        <div key={wait.path ?? wait.step}>
          <strong>{wait.path ?? wait.step}</strong> · {wait.kind}
          {wait.event && <> · {wait.event}</>}
          {wait.assignTo && <> · {wait.assignTo}</>}
          {wait.until && (
            <>
              {" "}
              · {t("page.until")} <Time at={wait.until} />
            </>
          )}
          {wait.workflowId && (
            <>
              {" "}
              ·{" "}
              <Link to="/executions/$executionId" params={{ executionId: wait.workflowId }}>
                {t("waiting.workflow")}
              </Link>
            </>
          )}
          {wait.kind === "review" && (
            <>
              {" "}
              ·{" "}
              <Link to="/reviews/$workflowId/$step" params={{ workflowId: execution.id, step: wait.path ?? wait.step }}>
                {t("action.review")}
              </Link>
            </>
          )}
        </div>
      ))}
    </Notice>
  );
}
