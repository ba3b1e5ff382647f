import { Button, CloseButton } from "@mantine/core";
import { IconPlayerSkipForward } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { Allowed } from "@/components/Allowed";
import { confirm, notifyDone, notifyFailed } from "@/components/confirm";
import { Json } from "@/components/Json";
import { Section } from "@/components/Section";
import { Time, useNow } from "@/components/Time";
import { duration } from "@/components/times";
import { endOf, runKey } from "./Outline";
import type { Execution, StepRun, Timeline } from "./types";
import css from "./Execution.module.css";

interface Props {
  execution: Execution;
  timeline: Timeline;
  /** An attempt by its key, or a step by its name: its last attempt. */
  chosen: string | undefined;
  onClose: () => void;
}

/** What went into an attempt of a step, what came out, and what went wrong. */
export function StepDetail({ execution, timeline, chosen, onClose }: Props) {
  const { t } = useTranslation("executions");
  const now = useNow().getTime();
  const run = timeline.steps.findLast((one) => runKey(one) === chosen || one.step === chosen);
  if (!run) return null;
  return (
    <Section title={run.step} actions={<CloseButton size="sm" aria-label={t("outline.close")} onClick={onClose} />}>
      <div className={css.detail}>
        <p className="quiet">
          {run.kind} · <Time at={run.startedAt} /> ·{" "}
          {t("outline.took", { duration: duration(endOf(run, now) - Date.parse(run.startedAt)) })}
          {run.attempt > 1 && ` · ${t("outline.attempt", { attempt: run.attempt })}`}
        </p>
        {execution.status === "FAILED" && !run.step.includes(".") && <RetryFrom execution={execution} timeline={timeline} run={run} />}
        {run.error !== null && run.error !== undefined && (
          <>
            <h3>{t("outline.error")}</h3>
            <Json value={run.error} />
          </>
        )}
        <h3>{t("outline.input")}</h3>
        <Json value={run.input} />
        <h3>{t("outline.output")}</h3>
        <Json value={run.output} />
      </div>
    </Section>
  );
}

/** Goes on from a step that the execution has come by: that and what follows runs again. */
function RetryFrom({ execution, timeline, run }: { execution: Execution; timeline: Timeline; run: StepRun }) {
  const { t } = useTranslation("executions");
  const queryClient = useQueryClient();
  const retry = useMutation({
    mutationFn: () =>
      got(
        api.POST("/workflows/{workflowId}/retry", {
          params: { path: { workflowId: execution.id }, query: { step: run.step } },
        }),
      ),
    onSuccess: () => notifyDone(t("action.retried")),
    onError: notifyFailed,
    onSettled: () => queryClient.invalidateQueries({ queryKey: ["executions", execution.id] }),
  });
  const after = timeline.steps.slice(timeline.steps.lastIndexOf(run)).filter((one) => !one.step.includes("."));
  const again = [...new Set(after.map((one) => `${one.step} (${one.kind})`))].join(", ");
  const ask = async () => {
    const question = { title: t("action.fromTitle", { step: run.step }), text: t("action.fromText", { steps: again }), action: t("action.retry") };
    if ((await confirm(question)) !== undefined) retry.mutate();
  };
  return (
    <p>
      <Allowed by="can_operate_executions">
        <Button
          variant="default"
          size="compact-sm"
          leftSection={<IconPlayerSkipForward size={14} />}
          loading={retry.isPending}
          onClick={() => void ask()}
        >
          {t("action.from")}
        </Button>
      </Allowed>
    </p>
  );
}
