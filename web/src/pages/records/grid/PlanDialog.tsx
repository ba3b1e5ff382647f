import { Button, Group, Modal, Progress } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { notifyDone } from "@/components/confirm";
import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { useStay } from "@/components/stay";
import { nameOf, titleOf, type Table } from "../types";
import { CellText } from "./GridRow";
import type { Looks } from "./cells";
import type { Edits } from "./edits";
import { perform } from "./perform";
import { changesOf, type PlannedCell, type PlannedRow } from "./plan";
import type { Rows } from "./rows";
import { sendChanges, SLICE, type ChangeResult } from "./sending";
import css from "./Plan.module.css";

const MOST_SHOWN = 100;

interface Props {
  title: string;
  table: Table;
  plan: readonly PlannedRow[];
  rows: Rows;
  edits: Edits;
  looks: Looks;
  /** `done`: whether it was done. */
  onClose: (done: boolean) => void;
}

interface Judged {
  row: PlannedRow;
  /** What the server says to the whole row. */
  said: readonly string[];
  byField: ReadonlyMap<string, string>;
}

/** What would change, before it does: nothing is written while something is wrong, and what is wrong is shown at its cell. */
export function PlanDialog({ title, table, plan, rows, edits, looks, onClose }: Props) {
  const { t } = useTranslation(["grid", "common"]);
  const [id] = useState(() => crypto.randomUUID());
  const [progress, setProgress] = useState<number | undefined>();
  const [failure, setFailure] = useState<unknown>();
  const [refused, setRefused] = useState<readonly ChangeResult[] | undefined>();
  const { data: judged, error } = useQuery({
    queryKey: ["plan", id],
    queryFn: async () => judge(plan, (await sendChanges(table.name, changesOf(plan), { dryRun: true })).results, (key) => t(`problem.${key}`)),
    staleTime: Infinity,
    gcTime: 0,
    retry: false,
  });
  const mayStop = useStay(progress !== undefined);
  const [stopping] = useState(() => new AbortController());
  const close = async () => {
    if (!(await mayStop())) return;
    stopping.abort();
    onClose(false);
  };
  const good = judged?.filter(isGood).map(({ row }) => row) ?? [];
  const wrong = (judged?.length ?? 0) - good.length;
  const act = async () => {
    setProgress(0);
    setFailure(undefined);
    try {
      const results = await perform(rows, edits, good, { onProgress: setProgress, signal: stopping.signal });
      if (results.some((one) => one.refused)) return setRefused(results);
      notifyDone(t("plan.done", { count: good.length }));
      onClose(true);
    } catch (broken) {
      if (!stopping.signal.aborted) setFailure(broken);
      rows.reload();
    } finally {
      setProgress(undefined);
    }
  };
  const again = refused && judge(good, refused, (key) => t(`problem.${key}`));
  return (
    <Modal opened onClose={() => void close()} title={title} size="70rem" closeButtonProps={{ "aria-label": t("close") }}>
      {error && <Failure error={error} />}
      {failure !== undefined && <Failure error={failure} />}
      {!judged && !error && <Loading />}
      {judged && (
        <>
          <p className={css.summary} role="status">
            {again ? t("plan.overtaken") : summary(judged, t)}
            {!again && wrong > 0 && <strong> {t("plan.wrong", { count: wrong })}</strong>}
          </p>
          <PlanTable table={table} judged={again ?? judged} looks={looks} names={rows.names} />
          {progress !== undefined && <Progress value={(100 * progress) / Math.max(good.length, 1)} aria-label={title} mt="sm" />}
          {good.length > SLICE && !again && <p className="quiet">{t("common:stay.hint")}</p>}
          <Group mt="md" justify="flex-end">
            <Button variant="default" onClick={() => void close()}>
              {t("plan.back")}
            </Button>
            {good.length > 0 && !again && (
              <Button loading={progress !== undefined} onClick={() => void act()} data-autofocus>
                {wrong > 0 ? t("plan.doRight", { count: good.length }) : t("plan.do", { count: good.length })}
              </Button>
            )}
          </Group>
        </>
      )}
    </Modal>
  );
}

function isGood({ row, said, byField }: Judged): boolean {
  return said.length === 0 && byField.size === 0 && row.cells.every(({ problem }) => !problem);
}

function judge(plan: readonly PlannedRow[], results: readonly ChangeResult[], words: (problem: NonNullable<PlannedCell["problem"]>) => string): Judged[] {
  return plan.map((row, place) => {
    const byField = new Map<string, string>();
    const said: string[] = [];
    for (const { pointer, message } of results[place]?.errors ?? []) {
      const field = pointer?.split("/")[1];
      if (field !== undefined && row.cells.some((cell) => cell.field.name === field)) byField.set(field, message);
      else said.push(message);
    }
    for (const { field, problem } of row.cells) if (problem) byField.set(field.name, words(problem));
    return { row, said, byField };
  });
}

function summary(judged: readonly Judged[], t: ReturnType<typeof useTranslation<"grid">>["t"]): string {
  const changed = judged.filter(({ row }) => row.record && !row.deletes).length;
  const made = judged.filter(({ row }) => !row.record).length;
  const deleted = judged.filter(({ row }) => row.deletes).length;
  return [
    changed > 0 && t("plan.changed", { count: changed }),
    made > 0 && t("plan.made", { count: made }),
    deleted > 0 && t("plan.deleted", { count: deleted }),
    judged.length === 0 && t("plan.nothing"),
  ]
    .filter((part) => part !== false)
    .join(" ");
}

interface TableProps {
  table: Table;
  judged: readonly Judged[];
  looks: Looks;
  names: ReadonlyMap<string, string>;
}

/** Each record with its cells before and after; what is wrong comes first. */
function PlanTable({ table, judged, looks, names }: TableProps) {
  const { t, i18n } = useTranslation("grid");
  const fields = table.fields.filter((field) => judged.some(({ row }) => row.cells.some((cell) => cell.field.name === field.name)));
  const ordered = [...judged.filter((one) => !isGood(one)), ...judged.filter(isGood)];
  if (judged.length === 0) return null;
  return (
    <div className={css.scroll} tabIndex={0} role="group" aria-label={t("plan.table")}>
      <table className={css.plan}>
        <thead>
          <tr>
            <th scope="col">{t("plan.record")}</th>
            {fields.map((field) => (
              <th key={field.name} scope="col">
                {titleOf(field, i18n.language)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {ordered.slice(0, MOST_SHOWN).map(({ row, said, byField }, place) => (
            <tr key={row.record?.id ?? place} data-wrong={said.length + byField.size > 0 || undefined}>
              <th scope="row">
                {row.record ? nameOf(row.record, table.fields) : t("plan.new")}
                {said.map((message) => (
                  <span key={message} className={css.problem}>
                    {message}
                  </span>
                ))}
              </th>
              {fields.map((field) => {
                const cell = row.cells.find((one) => one.field.name === field.name);
                const problem = byField.get(field.name);
                return (
                  <td key={field.name} data-wrong={problem !== undefined || undefined}>
                    {cell && (
                      <>
                        {row.record && (
                          <>
                            <del>
                              <CellText field={field} value={cell.before} looks={looks} names={names} />
                            </del> <span aria-hidden>→</span>{" "}
                          </>
                        )}
                        <ins>{cell.problem ? cell.text : <CellText field={field} value={cell.after} looks={looks} names={names} />}</ins>
                      </>
                    )}
                    {problem && <span className={css.problem}>{problem}</span>}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {ordered.length > MOST_SHOWN && <p className="quiet">{t("plan.more", { count: ordered.length - MOST_SHOWN })}</p>}
    </div>
  );
}
