import { Button, Group, Modal, Select } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, got, idempotencyKey, type Schemas } from "@/api/client";
import { notifyFailed, notifyUndo } from "@/components/confirm";
import { Failure } from "@/components/Failure";
import { Verdicts } from "@/components/Verdicts";
import type { Execution } from "./types";
import css from "./Executions.module.css";

type Migration = Schemas["MigrationAnswer"];

interface Props {
  executions: readonly Execution[];
  onClose: () => void;
  onDone: () => void;
}

/** Moves executions of one definition to another of its revisions: verdicts first. */
export function MoveDialog({ executions, onClose, onDone }: Props) {
  const { t } = useTranslation(["executions", "common"]);
  const queryClient = useQueryClient();
  const [to, setTo] = useState<string | null>(null);
  const definitions = new Map(executions.map((one) => [one.workflowDefinitionId, one.name]));
  const [definitionId] = definitions.keys();
  const one = definitions.size === 1 && definitionId !== undefined;
  const { data: revisions } = useQuery({
    queryKey: ["definitions", definitionId, "revisions", "choice"],
    queryFn: () =>
      got(api.GET("/definitions/{definitionId}/revisions", { params: { path: { definitionId: definitionId! } } })),
    enabled: one,
  });
  const move = (dryRun: boolean) =>
    Promise.all(
      [...byRevision(executions)]
        .filter(([from]) => String(from) !== to)
        .map(([from, some]) =>
          got(
            api.POST("/definitions/{definitionId}/migrations", {
              params: { path: { definitionId: definitionId! }, header: { "Idempotency-Key": idempotencyKey() } },
              body: { from, to: Number(to), dryRun, mapping: {}, loosenReviews: false, workflowIds: some.map((execution) => execution.id) },
            }),
          ),
        ),
    );
  const preview = useQuery({
    queryKey: ["executions", "move", to, executions.map((execution) => execution.id)],
    queryFn: () => move(true),
    enabled: one && to !== null,
    staleTime: 0,
    gcTime: 0,
    retry: false,
  });
  const settled = () => queryClient.invalidateQueries({ queryKey: ["executions"] });
  const undo = useMutation({
    mutationFn: (migrations: readonly Migration[]) =>
      Promise.all(
        migrations.map((migration) =>
          got(
            api.POST("/definitions/{definitionId}/migrations/{migrationId}/undo", {
              params: { path: { definitionId: definitionId!, migrationId: migration.id } },
            }),
          ),
        ),
      ),
    onError: notifyFailed,
    onSettled: settled,
  });
  const act = useMutation({
    mutationFn: () => move(false),
    onSuccess: (migrations) => {
      const count = migrations.reduce((sum, migration) => sum + migration.moved, 0);
      notifyUndo(t("bulk.moved", { count }), t("common:undo"), () => undo.mutate(migrations));
      onDone();
      onClose();
    },
    onError: notifyFailed,
    onSettled: settled,
  });
  const safe = preview.data?.reduce((sum, migration) => sum + migration.verdicts.safe, 0) ?? 0;
  return (
    <Modal closeButtonProps={{ "aria-label": t("common:close") }} opened onClose={onClose} title={t("bulk.moveTitle")} size="lg">
      {one ? (
        <Select
          label={t("bulk.moveTo")}
          data={(revisions?.data ?? [])
            .filter((revision) => revision.publishedDate !== null)
            .map(({ revision }) => ({ value: String(revision), label: t("page.of", { revision }) }))}
          value={to}
          onChange={setTo}
          data-autofocus
        />
      ) : (
        <p>{t("bulk.moveOneDefinition", { names: [...definitions.values()].join(", ") })}</p>
      )}
      {preview.isError && <Failure error={preview.error} />}
      {preview.data && (
        <div className={css.verdicts}>
          {preview.data.length === 0 && <p className="quiet">{t("bulk.thereAlready")}</p>}
          {preview.data.map((migration) => (
            <Verdicts key={migration.id} migration={migration} />
          ))}
        </div>
      )}
      <Group mt="md" justify="flex-end">
        <Button variant="default" onClick={onClose}>
          {t("common:confirm.no")}
        </Button>
        <Button disabled={safe === 0} loading={act.isPending} onClick={() => act.mutate()}>
          {t("bulk.moveDo", { count: safe })}
        </Button>
      </Group>
    </Modal>
  );
}

function byRevision(executions: readonly Execution[]): Map<number, Execution[]> {
  const groups = new Map<number, Execution[]>();
  for (const one of executions) {
    const revision = Number(one.revision);
    groups.set(revision, [...(groups.get(revision) ?? []), one]);
  }
  return groups;
}
