import { Button, Group, Select, Stack } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, got, idempotencyKey, type Schemas } from "@/api/client";
import { Allowed } from "@/components/Allowed";
import { notifyDone, notifyFailed } from "@/components/confirm";
import { Failure } from "@/components/Failure";
import { Section } from "@/components/Section";
import { Time } from "@/components/Time";
import { Verdicts } from "@/components/Verdicts";
import { revisionQuery, type Revision } from "./queries";
import { stepChanges } from "./stepDiff";
import css from "./Definitions.module.css";

type Migration = Schemas["MigrationAnswer"];

/** Executions under way go on with another revision: verdicts first, then the move, which can be undone. */
export function Move({ definitionId, revisions }: { definitionId: string; revisions: readonly Revision[] }) {
  const { t } = useTranslation("definitions");
  const queryClient = useQueryClient();
  const published = revisions.filter((one) => one.publishedDate !== null);
  const [to, setTo] = useState(published.find((one) => one.current)?.revision ?? published[0]?.revision ?? 1);
  const [from, setFrom] = useState(revisions.find((one) => one.revision < to)?.revision ?? to);
  const [mapping, setMapping] = useState<Record<string, string>>({});
  const path = { definitionId };
  const queryKey = ["definitions", definitionId, "migrations"];
  const { data: earlier } = useQuery({
    queryKey,
    queryFn: () => got(api.GET("/definitions/{definitionId}/migrations", { params: { path, query: { limit: 20 } } })),
  });
  const left = useQuery(revisionQuery(definitionId, from));
  const right = useQuery(revisionQuery(definitionId, to));
  const changes = left.data && right.data ? stepChanges(left.data.document, right.data.document) : [];
  const removed = changes.flatMap((one) => (one.change === "removed" && one.step ? [one.step] : []));
  const added = changes.flatMap((one) => (one.change === "added" && one.step ? [one.step] : []));
  const move = useMutation({
    mutationFn: (dryRun: boolean) =>
      got(
        api.POST("/definitions/{definitionId}/migrations", {
          params: { path, header: { "Idempotency-Key": idempotencyKey() } },
          body: { from, to, dryRun, mapping, loosenReviews: false },
        }),
      ),
    onSuccess: (migration) => {
      if (!migration.dryRun) notifyDone(t("move.moved", { count: migration.moved }));
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey }),
  });
  const undo = useMutation({
    mutationFn: (migration: Migration) =>
      got(
        api.POST("/definitions/{definitionId}/migrations/{migrationId}/undo", {
          params: { path: { definitionId, migrationId: migration.id } },
        }),
      ),
    onSuccess: (migration) => notifyDone(t("move.undone", { count: migration.undone, kept: migration.kept })),
    onError: notifyFailed,
    onSettled: () => queryClient.invalidateQueries({ queryKey }),
  });
  const choice = (some: readonly Revision[]) =>
    some.map(({ revision, current }) => ({ value: String(revision), label: t("revision", { revision }) + (current ? ` · ${t("published")}` : "") }));
  const chosen = (set: (revision: number) => void) => (value: string | null) => {
    set(Number(value));
    setMapping({});
    move.reset();
  };
  const looked = move.data?.dryRun ? move.data : undefined;
  const done = (earlier?.data ?? []).filter((one) => !one.dryRun);
  return (
    <Stack gap="md" maw="46rem">
      <p className="quiet">{t("move.text")}</p>
      <Group align="end">
        <Select label={t("move.from")} data={choice(revisions.filter((one) => one.revision !== to))} value={String(from)} allowDeselect={false} onChange={chosen(setFrom)} />
        <Select label={t("move.to")} data={choice(published.filter((one) => one.revision !== from))} value={String(to)} allowDeselect={false} onChange={chosen(setTo)} />
        <Allowed by="can_operate_executions" reason={from === to ? t("move.same") : undefined}>
          <Button variant="default" loading={move.isPending && move.variables} onClick={() => move.mutate(true)}>
            {t("move.look")}
          </Button>
        </Allowed>
      </Group>
      {removed.length > 0 && added.length > 0 && (
        <fieldset className={css.mapping}>
          <legend>{t("move.mapping")}</legend>
          {removed.map((step) => (
            <Select
              key={step}
              label={step}
              placeholder={t("move.gone")}
              data={added}
              clearable
              value={mapping[step] ?? null}
              onChange={(value) => {
                const others = Object.entries(mapping).filter(([one]) => one !== step);
                setMapping(Object.fromEntries(value ? [...others, [step, value]] : others));
                move.reset();
              }}
            />
          ))}
        </fieldset>
      )}
      {move.isError && <Failure error={move.error} />}
      {looked && (
        <>
          <Verdicts migration={looked} />
          <Group>
            <Button disabled={looked.verdicts.safe === 0} loading={move.isPending} onClick={() => move.mutate(false)}>
              {t("move.do", { count: looked.verdicts.safe })}
            </Button>
          </Group>
        </>
      )}
      {done.length > 0 && (
        <Section title={t("move.earlier")}>
          <ul className={css.revisions}>
            {done.map((one) => (
              <li key={one.id}>
                <span>{t("move.way", { from: one.from, to: one.to, count: one.moved })}</span>
                <span className="quiet">
                  {one.createdBy} · <Time at={one.createdDate} />
                </span>
                {one.status === "DONE" && (
                  <Allowed by="can_operate_executions">
                    <Button variant="default" size="compact-xs" loading={undo.isPending} onClick={() => undo.mutate(one)}>
                      {t("move.undo")}
                    </Button>
                  </Allowed>
                )}
                {one.undoneBy && <span className="quiet">{t("move.undoneBy", { name: one.undoneBy })}</span>}
              </li>
            ))}
          </ul>
        </Section>
      )}
    </Stack>
  );
}
