import { Button, Group, Modal, Progress, TextInput } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, got, idempotencyKey, type Schemas } from "@/api/client";
import { under } from "@/app/prefix";
import { notifyFailed } from "@/components/confirm";
import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { Tag } from "@/components/Status";
import type { asQuery } from "./search";
import css from "./Executions.module.css";

export type BulkAction = "retry" | "cancel";
type Operation = Schemas["OperationAnswer"];
type Outcome = Schemas["OutcomeAnswer"];

interface Props {
  action: BulkAction;
  /** These; undefined: all that the filters find. */
  ids: readonly string[] | undefined;
  filters: ReturnType<typeof asQuery>;
  onClose: () => void;
  onDone: () => void;
}

/** How soon is looked again how far the server has come. */
const EVERY = 700;

/** What would become of executions, then what became of them, with a report. The server does it, page or no page. */
export function BulkDialog({ action, ids, filters, onClose, onDone }: Props) {
  const { t, i18n } = useTranslation(["executions", "common"]);
  const queryClient = useQueryClient();
  const [reason, setReason] = useState("");
  const [trying] = useState(idempotencyKey);
  const [doing, setDoing] = useState<string>();
  const wish = { action, definition: "original" as const, workflowIds: ids ? [...ids] : null };
  const preview = useOperation(trying, { ...wish, dryRun: true, reason: null }, filters);
  const act = useOperation(doing, { ...wish, dryRun: false, reason: reason.trim() || null }, filters);
  const stop = useMutation({
    mutationFn: (operationId: string) => got(api.POST("/workflows/operations/{operationId}/stop", { params: { path: { operationId } } })),
    onError: notifyFailed,
    onSettled: () => queryClient.invalidateQueries({ queryKey: ["operation"] }),
  });
  const shown = doing ? act.operation : preview.operation;
  const error = doing ? act.error : preview.error;
  const isOver = doing !== undefined && act.operation !== undefined && act.operation.status !== "RUNNING";
  const possible = sumOf(preview.operation, "possible");
  const isTried = preview.operation !== undefined && preview.operation.status !== "RUNNING";
  const close = () => {
    if (doing) {
      // Not before: rows that fit the filters no more would take the dialogue with them.
      void queryClient.invalidateQueries({ queryKey: ["executions"] });
      onDone();
    }
    onClose();
  };
  return (
    <Modal closeButtonProps={{ "aria-label": t("common:close") }} opened onClose={close} title={t(`bulk.${action}Title`)} size="lg">
      {!shown && error === undefined && <Loading />}
      {error !== undefined && <Failure error={error} />}
      {shown && (
        <>
          <p className={css.lead}>{doing ? t("bulk.became") : t("bulk.would")}</p>
          <Outcomes operation={shown} />
          {shown.status === "RUNNING" && (
            <>
              <Progress mt="md" value={shown.total === 0 ? 100 : (100 * shown.lookedAt) / shown.total} aria-label={t("bulk.progress")} />
              <p className="quiet" role="status">
                {t("bulk.sofar", { done: shown.lookedAt.toLocaleString(i18n.language), total: `${shown.total.toLocaleString(i18n.language)}${shown.totalExact ? "" : "+"}` })}{" "}
                {doing && t("bulk.goesOnAlone")}
              </p>
            </>
          )}
          {shown.status === "STOPPED" && <p role="status">{t("bulk.stopped")}</p>}
        </>
      )}
      {!doing && action === "cancel" && (
        <TextInput mt="md" label={t("action.reason")} value={reason} maxLength={500} onChange={(event) => setReason(event.currentTarget.value)} />
      )}
      <Group mt="md" justify="flex-end">
        {doing && act.operation && (
          <Button variant="default" leftSection={<IconDownload size={15} />} component="a" href={under(`/workflows/operations/${act.operation.id}/report`)} download={`${action}.csv`}>
            {t("bulk.report")}
          </Button>
        )}
        {doing && act.operation && !isOver && (
          <Button variant="default" loading={stop.isPending} onClick={() => stop.mutate(act.operation!.id)}>
            {t("bulk.stop")}
          </Button>
        )}
        <Button variant={doing ? "filled" : "default"} onClick={close} data-autofocus={isOver || undefined}>
          {doing ? t("common:close") : t("common:confirm.no")}
        </Button>
        {!doing && isTried && possible > 0 && (
          <Button color={action === "cancel" ? "red.8" : "indigo"} onClick={() => setDoing(idempotencyKey())}>
            {t(`bulk.${action}Do`, { count: possible })}
          </Button>
        )}
      </Group>
    </Modal>
  );
}

/** An operation that begins once it has a key, and how far it has come since. */
function useOperation(key: string | undefined, body: Schemas["OperationBody"], filters: ReturnType<typeof asQuery>) {
  const begun = useQuery({
    queryKey: ["operation", "begin", key],
    queryFn: () => got(api.POST("/workflows/operations", { params: { query: body.workflowIds ? {} : filters, header: { "Idempotency-Key": key! } }, body })),
    enabled: key !== undefined,
    staleTime: Infinity,
    gcTime: 0,
    retry: false,
  });
  const operationId = begun.data?.id;
  const now = useQuery({
    queryKey: ["operation", operationId],
    queryFn: () => got(api.GET("/workflows/operations/{operationId}", { params: { path: { operationId: operationId! } } })),
    enabled: begun.data?.status === "RUNNING",
    refetchInterval: ({ state }) => (state.data === undefined || state.data.status === "RUNNING" ? EVERY : false),
  });
  return { operation: now.data ?? begun.data, error: begun.error ?? now.error ?? undefined };
}

function sumOf(operation: Operation | undefined, outcome: Outcome["outcome"]): number {
  return operation?.outcomes.filter((one) => one.outcome === outcome).reduce((sum, { executions }) => sum + executions, 0) ?? 0;
}

/** How many executions share a definition and an outcome. */
function Outcomes({ operation }: { operation: Operation }) {
  const { t, i18n } = useTranslation("executions");
  if (operation.outcomes.length === 0) return operation.status === "RUNNING" ? null : <p className="quiet">{t("empty.filtered")}</p>;
  return (
    <ul className={css.outcomes}>
      {operation.outcomes.map((one) => (
        <li key={`${one.outcome} ${one.name} ${one.step} ${one.code} ${one.message}`}>
          <Tag tone={one.outcome === "refused" ? "warn" : one.outcome === "done" ? "good" : "busy"} text={t(`bulk.${one.outcome}`)} />
          <strong className="numbers">{one.executions.toLocaleString(i18n.language)}</strong>
          <span>
            {one.name}
            {one.step && <span className="quiet"> · {t("bulk.goesOn", { step: one.step })}</span>}
            {one.message && <span className="quiet"> · {one.message}</span>}
          </span>
        </li>
      ))}
    </ul>
  );
}
