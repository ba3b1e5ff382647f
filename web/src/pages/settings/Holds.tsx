import { Button, Group, Modal, Select, TextInput } from "@mantine/core";
import { IconLock, IconPlus } from "@tabler/icons-react";
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";

import { api, got, type Schemas } from "@/api/client";
import { Reasoned } from "@/components/Allowed";
import { confirm, notifyDone } from "@/components/confirm";
import { Empty } from "@/components/Empty";
import { Failure } from "@/components/Failure";
import { Id } from "@/components/Id";
import type { Page } from "@/components/List";
import { Section } from "@/components/Section";
import { Time } from "@/components/Time";
import { useChange } from "./change";
import { HOLDS_KEY } from "./retention";
import { Rows } from "./Rows";
import css from "./Settings.module.css";

type Hold = Schemas["HoldAnswer"];
const KINDS = ["record", "execution", "workspace"] as const;
type Kind = (typeof KINDS)[number];
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const LIMIT = 50;

/** Legal holds: what is kept until somebody releases it. */
export function Holds() {
  const { t } = useTranslation("admin");
  const change = useChange(...HOLDS_KEY);
  const [placing, setPlacing] = useState(false);
  const query = useInfiniteQuery({
    queryKey: HOLDS_KEY,
    queryFn: ({ pageParam }) => got(api.GET("/holds", { params: { query: { limit: LIMIT, ...(pageParam && { after: pageParam }) } } })),
    initialPageParam: "",
    getNextPageParam: (page: Page<Hold>) => page.next ?? undefined,
  });
  const release = async (hold: Hold) => {
    const sure = await confirm({ title: t("holds.release.title"), text: t("holds.release.text", { reason: hold.reason }), action: t("holds.release.do"), dangerous: true });
    if (sure === undefined) return;
    await change(() => got(api.POST("/holds/{holdId}/release", { params: { path: { holdId: hold.id } } })), t("holds.release.done"));
  };
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
              <span className={css.acts}>
                <Button variant="default" onClick={() => void release(hold)} aria-label={t("holds.release.named", { reason: hold.reason })}>
                  {t("holds.release.do")}
                </Button>
              </span>
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
  const { t } = useTranslation(["admin", "common"]);
  const queryClient = useQueryClient();
  const [kind, setKind] = useState<Kind>("record");
  const [id, setId] = useState("");
  const [reason, setReason] = useState("");
  const [failure, setFailure] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const missing = kind !== "workspace" && !UUID.test(id.trim()) ? t("admin:holds.needsId") : !reason.trim() ? t("admin:holds.needsReason") : undefined;
  const place = async () => {
    setBusy(true);
    setFailure(undefined);
    try {
      await got(api.POST("/holds", { body: { kind, reason: reason.trim(), ...(kind !== "workspace" && { id: id.trim() }) } }));
      await queryClient.invalidateQueries({ queryKey: HOLDS_KEY });
      notifyDone(t("admin:holds.done"));
      onClose();
    } catch (error) {
      setFailure(error);
      setBusy(false);
    }
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!missing) void place();
  };
  return (
    <Modal closeButtonProps={{ "aria-label": t("common:close") }} opened onClose={onClose} closeOnClickOutside={false} title={t("admin:holds.place")}>
      <form onSubmit={submit} className={css.form}>
        <Select
          label={t("admin:holds.on")}
          data={KINDS.map((value) => ({ value, label: t(`admin:holds.kinds.${value}`) }))}
          value={kind}
          allowDeselect={false}
          onChange={(value) => setKind(value ?? "record")}
        />
        {kind !== "workspace" && (
          <TextInput label={t("admin:holds.id")} description={t("admin:holds.idHint")} value={id} maxLength={36} autoComplete="off" spellCheck={false} onChange={(event) => setId(event.currentTarget.value)} />
        )}
        <TextInput label={t("admin:holds.reason")} description={t("admin:holds.reasonHint")} value={reason} maxLength={500} autoComplete="off" onChange={(event) => setReason(event.currentTarget.value)} />
        {failure !== undefined && <Failure error={failure} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t("common:confirm.no")}
          </Button>
          <Reasoned reason={missing}>
            <Button type="submit" loading={busy}>
              {t("admin:holds.place")}
            </Button>
          </Reasoned>
        </Group>
      </form>
    </Modal>
  );
}
