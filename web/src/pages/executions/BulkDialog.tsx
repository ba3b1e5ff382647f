import { Button, Group, Modal, Progress, TextInput } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { api, got, type Schemas } from "@/api/client";
import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { asCsv, download } from "@/components/report";
import { useStay } from "@/components/stay";
import { Tag } from "@/components/Status";
import type { asQuery } from "./search";
import css from "./Executions.module.css";

export type BulkAction = "retry" | "cancel";
type Result = Schemas["OperationResult"];

interface Props {
  action: BulkAction;
  /** These; undefined: all that the filters find. */
  ids: readonly string[] | undefined;
  filters: ReturnType<typeof asQuery>;
  onClose: () => void;
  onDone: () => void;
}

const AT_ONCE = 100;
/** A preview looks at no more than this. */
const MOST_LOOKED_AT = 2_000;

/** What would become of executions, then what became of them, with a report. */
export function BulkDialog({ action, ids, filters, onClose, onDone }: Props) {
  const { t } = useTranslation(["executions", "common"]);
  const queryClient = useQueryClient();
  const [reason, setReason] = useState("");
  const [sofar, setSofar] = useState<readonly Result[]>([]);
  const stopped = useRef(false);
  const preview = useQuery({
    queryKey: ["executions", "operations", action, ids, filters],
    queryFn: () => operated({ action, dryRun: true, ids, filters, most: MOST_LOOKED_AT }),
    staleTime: 0,
    gcTime: 0,
  });
  const act = useMutation({
    mutationFn: () =>
      operated({ action, dryRun: false, ids, filters, reason, onSome: setSofar, stopped: () => stopped.current }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ["executions"] }),
  });
  const mayStop = useStay(act.isPending);
  const done = act.data ?? (act.isError && sofar.length > 0 ? sofar : undefined);
  const shown = done ?? preview.data;
  const possible = preview.data?.filter((one) => one.outcome === "possible").length ?? 0;
  const close = async () => {
    if (!(await mayStop())) return;
    stopped.current = true;
    if (done) onDone();
    onClose();
  };
  return (
    <Modal closeButtonProps={{ "aria-label": t("common:close") }} opened onClose={() => void close()} title={t(`bulk.${action}Title`)} size="lg">
      {preview.isPending && <Loading />}
      {preview.isError && <Failure error={preview.error} />}
      {shown && (
        <>
          <p className={css.lead}>{done ? t("bulk.became") : t("bulk.would")}</p>
          <Outcomes results={shown} />
          {!done && shown.length >= MOST_LOOKED_AT && <p className="quiet">{t("bulk.onlyFirst", { count: MOST_LOOKED_AT })}</p>}
        </>
      )}
      {act.isPending && <Progress mt="md" value={possible === 0 ? 100 : Math.min(100, (sofar.length / possible) * 100)} aria-label={t("bulk.progress")} />}
      {act.isError && <Failure error={act.error} />}
      {!done && possible > AT_ONCE && <p className="quiet">{t("common:stay.hint")}</p>}
      {!done && action === "cancel" && (
        <TextInput mt="md" label={t("action.reason")} value={reason} maxLength={500} onChange={(event) => setReason(event.currentTarget.value)} />
      )}
      <Group mt="md" justify="flex-end">
        {done ? (
          <>
            <Button variant="default" leftSection={<IconDownload size={15} />} onClick={() => report(action, done)}>
              {t("bulk.report")}
            </Button>
            <Button data-autofocus onClick={() => void close()}>
              {t("common:close")}
            </Button>
          </>
        ) : (
          <>
            <Button variant="default" onClick={() => void close()}>
              {t("common:confirm.no")}
            </Button>
            {possible > 0 && (
              <Button color={action === "cancel" ? "red.8" : "indigo"} loading={act.isPending} onClick={() => act.mutate()}>
                {t(`bulk.${action}Do`, { count: possible })}
              </Button>
            )}
          </>
        )}
      </Group>
    </Modal>
  );
}

/** How many executions share a definition and an outcome. */
function Outcomes({ results }: { results: readonly Result[] }) {
  const { t } = useTranslation("executions");
  const groups = new Map<string, { one: Result; count: number }>();
  for (const one of results) {
    const key = [one.outcome, one.name, one.step, one.code].join(" ");
    const group = groups.get(key) ?? { one, count: 0 };
    groups.set(key, { one, count: group.count + 1 });
  }
  if (results.length === 0) return <p className="quiet">{t("empty.filtered")}</p>;
  return (
    <ul className={css.outcomes}>
      {[...groups.values()].map(({ one, count }) => (
        <li key={`${one.outcome}${one.name}${one.step}${one.code}`}>
          <Tag tone={one.outcome === "refused" ? "warn" : one.outcome === "done" ? "good" : "busy"} text={t(`bulk.${one.outcome}`)} />
          <strong className="numbers">{count}</strong>
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

interface Operation {
  action: BulkAction;
  dryRun: boolean;
  ids: readonly string[] | undefined;
  filters: ReturnType<typeof asQuery>;
  reason?: string;
  most?: number;
  onSome?: (results: readonly Result[]) => void;
  stopped?: () => boolean;
}

/** Call after call until all are through. */
async function operated({ action, dryRun, ids, filters, reason, most = Infinity, onSome, stopped }: Operation): Promise<Result[]> {
  const results: Result[] = [];
  const body = { action, dryRun, definition: "original" as const, reason: reason?.trim() || null };
  if (ids) {
    for (let at = 0; at < ids.length && !stopped?.(); at += AT_ONCE) {
      const some = await got(api.POST("/workflows/operations", { body: { ...body, workflowIds: ids.slice(at, at + AT_ONCE) } }));
      results.push(...some.results);
      onSome?.([...results]);
    }
    return results;
  }
  let after: string | null | undefined;
  do {
    const some = await got(api.POST("/workflows/operations", { params: { query: { ...filters, ...(after && { after }) } }, body }));
    results.push(...some.results);
    onSome?.([...results]);
    after = some.next;
  } while (after && results.length < most && !stopped?.());
  return results;
}

function report(action: BulkAction, results: readonly Result[]): void {
  const rows = results.map((one) => [one.workflowId, one.name, one.outcome, one.step ?? "", one.code ?? "", one.message ?? ""]);
  download(`${action}.csv`, asCsv([["execution", "definition", "outcome", "step", "code", "message"], ...rows]), "text/csv");
}
