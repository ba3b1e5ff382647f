/** From a draft to a revision: what changes by step, what becomes of executions under way, and who must agree. */
import { Button, Checkbox, Code, Group, Modal, Textarea } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { useMay } from "@/app/auth";
import { parse } from "@/builder/parsed";
import { Allowed } from "@/components/Allowed";
import { notifyDone } from "@/components/confirm";
import { CopyButton } from "@/components/CopyButton";
import { Failure } from "@/components/Failure";
import { Notice } from "@/components/Notice";
import { download } from "@/components/report";
import { Section } from "@/components/Section";
import { ChangesBetween } from "../definitions/Changes";
import { UnderWay } from "../definitions/Proposals";
import { keepScenarios, publishingQuery, scenariosQuery, type KeptScenarios } from "../definitions/queries";
import { patchOf } from "./patch";
import { letDraftGo } from "./saving";
import { useBuilder } from "./state";

interface Props {
  /** The definition that is changed, with its newest revision when the work began. */
  base: { definitionId: string; revision: number; text: string; kept: KeptScenarios } | undefined;
  /** Those of the draft, to be kept with the definition. */
  scenarios: string;
  /** The newest revision now. */
  newest: number | undefined;
  filesOnly: boolean;
  draftId: string | undefined;
  /** When the draft was begun: others may have kept scenarios since. */
  since: string | undefined;
  onClose: () => void;
}

export function Publish({ base, scenarios, newest, filesOnly, draftId, since, onClose }: Props) {
  const { t } = useTranslation(["builder", "common"]);
  const { text, problems, check, drawn } = useBuilder();
  const isSound = check?.sound === true;
  const name = (drawn.value as { name?: unknown } | undefined)?.name;
  const taken = check?.definitionId && check.definitionId !== base?.definitionId;
  return (
    <Modal opened onClose={onClose} size="xl" title={t(filesOnly ? "patch.title" : "publish.title")} closeButtonProps={{ "aria-label": t("common:close") }}>
      {!isSound && (
        <Notice tone="bad" title={t("publish.unsound", { count: problems.length })}>
          {t("publish.unsoundText")}
        </Notice>
      )}
      {taken && <Notice tone="warn" title={t("publish.taken", { name: String(name as string) })} />}
      {base && newest !== undefined && newest > base.revision && (
        <Notice tone="warn" title={t("publish.behind", { revision: base.revision, newest })}>
          {t("publish.behindText")}
        </Notice>
      )}
      <Section title={base ? t("publish.changes", { revision: base.revision }) : t("publish.first")}>
        {base && <ChangesBetween before={parse(base.text).value} after={drawn.value} />}
      </Section>
      {filesOnly ? <Patch name={String(name)} before={base?.text ?? ""} after={text} /> : <Push base={base} scenarios={scenarios} draftId={draftId} since={since} isSound={isSound} />}
    </Modal>
  );
}

function Patch({ name, before, after }: { name: string; before: string; after: string }) {
  const { t } = useTranslation("builder");
  const patch = useMemo(() => patchOf(name, before, after), [name, before, after]);
  return (
    <Section
      title={t("patch.patch")}
      actions={
        <Group gap="xs">
          <CopyButton value={patch} what={t("patch.patch")} />
          <Button variant="default" leftSection={<IconDownload size={14} />} onClick={() => download(`${name}.patch`, patch, "text/x-diff")}>
            {t("patch.download")}
          </Button>
        </Group>
      }
    >
      <p className="quiet">{t("patch.text")}</p>
      <Code block mah={320} tabIndex={0} role="region" aria-label={t("patch.patch")}>
        {patch || t("patch.none")}
      </Code>
    </Section>
  );
}

function Push({ base, scenarios, draftId, since, isSound }: Pick<Props, "base" | "scenarios" | "draftId" | "since"> & { isSound: boolean }) {
  const { t } = useTranslation("builder");
  const { text } = useBuilder();
  const [note, setNote] = useState("");
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const byTwo = useQuery(publishingQuery).data?.secondPerson ?? false;
  const may = useMay("can_manage_definitions");
  const { data: kept = base?.kept } = useQuery({ ...scenariosQuery(base?.definitionId ?? ""), enabled: base !== undefined });
  const [replaces, setReplaces] = useState(true);
  const isNewer = kept !== undefined && (kept.version !== base?.kept.version || (since !== undefined && (kept.updatedAt ?? "") > since));
  const isOvertaken = isNewer && kept.scenarios !== scenarios;
  const keepThem = async (definitionId: string) => {
    if (isOvertaken && !replaces) return;
    const there = definitionId === base?.definitionId && kept ? kept : await queryClient.fetchQuery(scenariosQuery(definitionId));
    if (scenarios !== there.scenarios) await keepScenarios(definitionId, scenarios, there.version);
  };
  const pushed = useMutation({
    mutationFn: () =>
      got(api.POST("/definitions", { params: { query: { publish: false } }, body: text, bodySerializer: (body) => body, headers: { "Content-Type": "application/yaml" } })),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ["definitions"] }),
  });
  const finish = useMutation({
    mutationFn: async (way: "keep" | "publish" | "propose") => {
      const made = pushed.data ?? (await pushed.mutateAsync());
      const options = { params: { path: { definitionId: made.id } }, body: { revision: made.revision, note: note.trim() || null } };
      if (way === "publish") await got(api.POST("/definitions/{definitionId}/publish", options));
      if (way === "propose") await got(api.POST("/definitions/{definitionId}/proposals", options));
      await keepThem(made.id);
      if (draftId) await letDraftGo(draftId).catch(() => undefined);
      return { made, way };
    },
    onSuccess: async ({ made, way }) => {
      notifyDone(t(`publish.done.${way}`, { revision: made.revision }));
      await Promise.all([queryClient.invalidateQueries({ queryKey: ["definitions"] }), queryClient.invalidateQueries({ queryKey: ["drafts", "list"] }), queryClient.invalidateQueries({ queryKey: ["proposals"] })]);
      await navigate({ to: "/definitions/$definitionId", params: { definitionId: made.id }, search: { revision: made.revision } });
    },
  });
  const reason = isSound ? undefined : t("publish.mendFirst");
  const first = byTwo ? "propose" : "publish";
  return (
    <>
      {base && pushed.data && pushed.data.revision !== base.revision && <UnderWay definitionId={base.definitionId} from={base.revision} to={pushed.data.revision} />}
      {base && !pushed.data && may && (
        <p className="quiet">
          {t("publish.verdictsText")}{" "}
          <Button variant="subtle" size="compact-xs" loading={pushed.isPending} disabled={!isSound} onClick={() => pushed.mutate()}>
            {t("publish.verdicts")}
          </Button>
        </p>
      )}
      {byTwo && <Notice tone="busy" title={t("publish.byTwo")} />}
      {pushed.isError && <Failure error={pushed.error} />}
      {finish.isError && !pushed.isError && <Failure error={finish.error} />}
      {isOvertaken && <Checkbox mt="sm" label={t("publish.replaces", { by: kept.updatedBy ?? "" })} checked={replaces} onChange={(event) => setReplaces(event.currentTarget.checked)} />}
      <Textarea mt="sm" label={t("publish.note")} maxLength={500} autosize minRows={2} value={note} onChange={(event) => setNote(event.currentTarget.value)} />
      <Group mt="md" justify="flex-end">
        <Allowed by="can_manage_definitions" reason={reason}>
          <Button variant="default" loading={finish.isPending && finish.variables === "keep"} onClick={() => finish.mutate("keep")}>
            {t("publish.keep")}
          </Button>
        </Allowed>
        <Allowed by={byTwo ? "can_manage_definitions" : "can_publish_definitions"} reason={reason}>
          <Button loading={finish.isPending && finish.variables === first} onClick={() => finish.mutate(first)}>
            {t(`publish.${first}`)}
          </Button>
        </Allowed>
      </Group>
    </>
  );
}
