/** From a draft to a revision: what changes by step, what becomes of executions under way, and who must agree. */
import { Button, Code, Group, Modal, Radio, Textarea } from "@mantine/core";
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
import { keepScenarios, publishingQuery, scenariosQuery } from "../definitions/queries";
import { patchOf } from "./patch";
import { letDraftGo } from "./saving";
import { useBuilder } from "./state";

interface Props {
  /** The definition that is changed, with its newest revision when the work began. */
  base: { definitionId: string; revision: number; text: string } | undefined;
  /** Those of the draft, to be kept with the definition, and which of its own they rest on. */
  scenarios: { text: string; version: number };
  /** The newest revision now. */
  newest: number | undefined;
  filesOnly: boolean;
  draftId: string | undefined;
  onClose: () => void;
}

export function Publish({ base, scenarios, newest, filesOnly, draftId, onClose }: Props) {
  const { t } = useTranslation(["builder", "common"]);
  const { text, problems, check, drawn } = useBuilder();
  const isSound = check?.sound === true;
  const name = (drawn.value as { name?: unknown } | undefined)?.name;
  const taken = check?.definitionId && check.definitionId !== base?.definitionId;
  return (
    <Modal opened onClose={onClose} size="xl" title={t(filesOnly ? "patch.title" : "publish.title")} closeButtonProps={{ "aria-label": t("common:close") }}>
      {!check && <Notice tone="busy" title={t("publish.checking")} />}
      {check && !isSound && (
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
      {filesOnly ? <Patch name={String(name)} before={base?.text ?? ""} after={text} /> : <Push base={base} scenarios={scenarios} draftId={draftId} isSound={isSound} />}
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

type Choice = "mine" | "theirs";

/** The draft's scenarios on their way to the definition; somebody has to choose where it has others than they rest on. */
function useOwnScenarios(definitionId: string | undefined, { text, version }: Props["scenarios"]) {
  const { check } = useBuilder();
  const queryClient = useQueryClient();
  const [choice, choose] = useState<Choice>();
  // The text may name another definition than the one that the work began with.
  const target = check?.definitionId ?? definitionId;
  const restsOn = target === definitionId ? version : 0;
  const { data: there } = useQuery({ ...scenariosQuery(target ?? ""), enabled: Boolean(target), staleTime: 0 });
  const isOvertaken = text.trim() !== "" && there !== undefined && there.version !== restsOn && there.scenarios.trim() !== "" && there.scenarios !== text;
  return {
    /** Who kept others; undefined where nothing has to be chosen. */
    others: isOvertaken ? (there.updatedBy ?? "?") : undefined,
    choice,
    choose,
    /** An empty text takes nothing away: that is done where the definition's scenarios stand. */
    keep: async (madeId: string) => {
      if (text.trim() === "" || there?.scenarios === text || (isOvertaken && choice !== "mine")) return;
      try {
        await keepScenarios(madeId, text, isOvertaken ? there.version : restsOn);
      } finally {
        await queryClient.invalidateQueries({ queryKey: scenariosQuery(madeId).queryKey });
      }
    },
  };
}

function Push({ base, scenarios, draftId, isSound }: Pick<Props, "base" | "scenarios" | "draftId"> & { isSound: boolean }) {
  const { t } = useTranslation("builder");
  const { text, check } = useBuilder();
  const [note, setNote] = useState("");
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const byTwo = useQuery(publishingQuery).data?.secondPerson ?? false;
  const may = useMay("can_manage_definitions");
  const own = useOwnScenarios(base?.definitionId, scenarios);
  const pushed = useMutation({
    mutationFn: () =>
      got(api.POST("/definitions", { params: { query: { publish: false } }, body: text, bodySerializer: (body) => body, headers: { "Content-Type": "application/yaml" } })),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ["definitions"] }),
  });
  const finish = useMutation({
    mutationFn: async (way: "keep" | "publish" | "propose") => {
      const made = pushed.data ?? (await pushed.mutateAsync());
      await own.keep(made.id);
      const options = { params: { path: { definitionId: made.id } }, body: { revision: made.revision, note: note.trim() || null } };
      if (way === "publish") await got(api.POST("/definitions/{definitionId}/publish", options));
      if (way === "propose") await got(api.POST("/definitions/{definitionId}/proposals", options));
      if (draftId) await letDraftGo(draftId).catch(() => undefined);
      return { made, way };
    },
    onSuccess: async ({ made, way }) => {
      notifyDone(t(`publish.done.${way}`, { revision: made.revision }));
      // The name is somebody's now: whoever opens the same text next is to be told.
      await queryClient.invalidateQueries({ queryKey: ["builder", "check"], refetchType: "none" });
      await Promise.all([queryClient.invalidateQueries({ queryKey: ["definitions"] }), queryClient.invalidateQueries({ queryKey: ["drafts", "list"] }), queryClient.invalidateQueries({ queryKey: ["proposals"] })]);
      await navigate({ to: "/definitions/$definitionId", params: { definitionId: made.id }, search: { revision: made.revision } });
    },
  });
  const reason = !check ? t("publish.checking") : !isSound ? t("publish.mendFirst") : own.others && !own.choice ? t("publish.chooseScenarios") : undefined;
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
      {own.others && (
        <Radio.Group mt="sm" label={t("publish.others", { by: own.others })} value={own.choice ?? ""} onChange={(value) => own.choose(value as Choice)}>
          <Radio mt="xs" value="mine" label={t("publish.mine")} />
          <Radio mt="xs" value="theirs" label={t("publish.theirs")} />
        </Radio.Group>
      )}
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
