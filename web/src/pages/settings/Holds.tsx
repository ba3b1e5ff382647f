import { Button, Select, TextInput } from "@mantine/core";
import { IconLock, IconPlus } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, got, type Schemas } from "@/api/client";
import { Empty } from "@/components/Empty";
import { FormDialog } from "@/components/FormDialog";
import { Id } from "@/components/Id";
import type { Page } from "@/components/List";
import { Section } from "@/components/Section";
import { Time } from "@/components/Time";
import { useRemoval, useSaving } from "./change";
import { HOLDS_KEY } from "./retention";
import { Rows } from "./Rows";
import { RowActs } from "./RowsTable";
import css from "./Settings.module.css";

type Hold = Schemas["HoldAnswer"];
const KINDS = ["record", "execution", "workspace"] as const;
type Kind = (typeof KINDS)[number];
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const LIMIT = 50;

/** Legal holds: what is kept until somebody releases it. */
export function Holds() {
  const { t } = useTranslation("admin");
  const remove = useRemoval(...HOLDS_KEY);
  const [placing, setPlacing] = useState(false);
  const query = useInfiniteQuery({
    queryKey: HOLDS_KEY,
    queryFn: ({ pageParam }) => got(api.GET("/holds", { params: { query: { limit: LIMIT, ...(pageParam && { after: pageParam }) } } })),
    initialPageParam: "",
    getNextPageParam: (page: Page<Hold>) => page.next ?? undefined,
  });
  const release = ({ id, reason }: Hold) =>
    remove(
      { title: t("holds.release.title"), text: t("holds.release.text", { reason }), action: t("holds.release.do") },
      () => got(api.POST("/holds/{holdId}/release", { params: { path: { holdId: id } } })),
      t("holds.release.done"),
    );
  const place = (
    <Button variant="default" leftSection={<IconPlus size={15} />} onClick={() => setPlacing(true)}>
      {t("holds.place")}
    </Button>
  );
  return (
    <Section title={t("holds.title")} actions={place}>
      <p className="quiet">{t("holds.text")}</p>
      <Rows
        label={t("holds.title")}
        query={query}
        keyOf={({ id }) => id}
        empty={<Empty icon={IconLock} title={t("holds.none")} text={t("holds.noneText")} />}
        columns={[
          { id: "on", header: t("holds.on"), cell: (hold) => <Held hold={hold} /> },
          { id: "reason", header: t("holds.reason"), cell: ({ reason }) => reason },
          { id: "since", header: t("holds.since"), cell: ({ placedAt }) => <Time at={placedAt} /> },
          { id: "by", header: t("holds.by"), cell: ({ placedBy }) => placedBy },
          {
            id: "acts",
            header: t("retention.acts"),
            align: "end",
            cell: (hold) => (
              <RowActs acts={[{ text: t("holds.release.do"), name: t("holds.release.named", { reason: hold.reason }), act: () => void release(hold) }]} />
            ),
          },
        ]}
      />
      {placing && <Place onClose={() => setPlacing(false)} />}
    </Section>
  );
}

function Held({ hold }: { hold: Hold }) {
  const { t } = useTranslation("admin");
  return (
    <>
      <div>{t(`holds.kinds.${hold.kind}`)}</div>
      {hold.kind !== "workspace" && <Id id={hold.objectId} what={t(`holds.kinds.${hold.kind}`)} />}
    </>
  );
}

function Place({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("admin");
  const save = useSaving(onClose, ...HOLDS_KEY);
  const [kind, setKind] = useState<Kind>("record");
  const [id, setId] = useState("");
  const [reason, setReason] = useState("");
  const missing = kind !== "workspace" && !UUID.test(id.trim()) ? t("holds.needsId") : !reason.trim() ? t("holds.needsReason") : undefined;
  const place = () =>
    save(
      () => got(api.POST("/holds", { body: { kind, reason: reason.trim(), ...(kind !== "workspace" && { id: id.trim() }) } })),
      () => t("holds.done"),
    );
  return (
    <FormDialog title={t("holds.place")} missing={missing} action={t("holds.place")} send={place} onClose={onClose} className={css.form}>
      <Select
        label={t("holds.on")}
        data={KINDS.map((value) => ({ value, label: t(`holds.kinds.${value}`) }))}
        value={kind}
        allowDeselect={false}
        onChange={(value) => setKind(value ?? "record")}
      />
      {kind !== "workspace" && (
        <TextInput label={t("holds.id")} description={t("holds.idHint")} value={id} maxLength={36} autoComplete="off" spellCheck={false} onChange={(event) => setId(event.currentTarget.value)} />
      )}
      <TextInput label={t("holds.reason")} description={t("holds.reasonHint")} value={reason} maxLength={500} autoComplete="off" onChange={(event) => setReason(event.currentTarget.value)} />
    </FormDialog>
  );
}
