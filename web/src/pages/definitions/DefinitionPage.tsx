import { Button, Code, Tabs } from "@mantine/core";
import { IconGitCompare, IconPencil, IconRocket } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { api, got, type Schemas } from "@/api/client";
import { useMay } from "@/app/auth";
import { Allowed } from "@/components/Allowed";
import { confirm, notifyDone, notifyFailed } from "@/components/confirm";
import { CopyButton } from "@/components/CopyButton";
import { CurlButton } from "@/components/CurlButton";
import { Failure } from "@/components/Failure";
import { Id } from "@/components/Id";
import { Loading } from "@/components/Loading";
import { localized } from "@/components/localized";
import { PageHeader } from "@/components/PageHeader";
import { Section } from "@/components/Section";
import { Tag } from "@/components/Status";
import { Time } from "@/components/Time";
import { Drafts } from "../builder/Drafts";
import { Changes } from "./Changes";
import { Move } from "./Move";
import { ProposalDialog, ProposalNotice } from "./Proposals";
import { proposalsQuery, publishingQuery, revisionQuery, waits, type Proposal, type Revision } from "./queries";
import { Scenarios } from "./Scenarios";
import { TABS, type DefinitionSearch, type Tab } from "./search";
import css from "./Definitions.module.css";

const route = getRouteApi("/definitions/$definitionId");
/** Executions are counted for so many of the newest revisions. */
const COUNTED = 10;

/** One definition: its revisions, what changed between them, its scenarios, and its executions. */
export function DefinitionPage() {
  const { t, i18n } = useTranslation("definitions");
  const { definitionId } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const path = { definitionId };
  const definition = useQuery({
    queryKey: ["definitions", definitionId],
    queryFn: async () => (await got(api.GET("/definitions/{definitionId}", { params: { path } }))) as Schemas["DefinitionAnswer"],
  });
  const revisions = useQuery({
    queryKey: ["definitions", definitionId, "revisions"],
    queryFn: () => got(api.GET("/definitions/{definitionId}/revisions", { params: { path } })),
  });
  const { data: proposals } = useQuery(proposalsQuery(definitionId));
  const error = definition.error ?? revisions.error;
  if (error) return <Failure error={error} onRetry={() => void definition.refetch()} />;
  if (!definition.data || !revisions.data) return <Loading />;
  const { name, title } = definition.data;
  const all = revisions.data.data;
  const [newest] = all;
  const published = all.find((one) => one.current);
  const chosen = all.find((one) => one.revision === search.revision) ?? published ?? newest;
  if (!newest || !chosen) return null;
  const show = (next: DefinitionSearch) => void navigate({ search: next, replace: true });
  const proposed = proposals?.data.find(waits);
  const { proposal: opened, ...rest } = search;
  const before = all.find((one) => one.revision < chosen.revision);
  const compare = (one: Revision) =>
    show({ tab: "changes", revision: one.revision, from: published && published !== one ? published.revision : (one.revision - 1 || 1) });
  return (
    <>
      <PageHeader
        title={localized(title, i18n.language) || name}
        above={<Link to="/definitions">{t("title")}</Link>}
        below={
          <>
            <span className="mono">{name}</span>
            <Id id={definitionId} what={t("id")} />
            <Link to="/executions" search={{ definition: definitionId }}>
              {t("executions")}
            </Link>
          </>
        }
        actions={
          <>
            <CurlButton calls={[{ text: t("text"), call: { path: `/definitions/${definitionId}/revisions/${chosen.revision}` } }]} />
            <Allowed by="can_manage_definitions">
              <Button component={Link} to={`/definitions/${definitionId}/edit`} leftSection={<IconPencil size={15} />}>
                {t("edit")}
              </Button>
            </Allowed>
          </>
        }
      />
      {proposed && <ProposalNotice proposal={proposed} onOpen={() => show({ ...search, proposal: proposed.id })} />}
      <Drafts definitionId={definitionId} />
      {opened && <ProposalDialog id={opened} onClose={() => show(rest)} />}
      <div className={css.halves}>
        <Section title={t("revisions")}>
          <Revisions definitionId={definitionId} revisions={all} proposed={proposed} chosen={chosen} onChosen={(one) => show({ ...search, revision: one.revision })} onCompare={compare} />
        </Section>
        <Tabs
          value={search.tab ?? "text"}
          onChange={(value) => {
            const tab = value as Tab;
            const { revision, from } = search;
            show({ ...(revision && { revision }), ...(from && { from }), ...(tab !== "text" && { tab }) });
          }}
          keepMounted={false}
        >
          <Tabs.List mb="md" aria-label={t("parts")}>
            {TABS.map((tab) => (
              <Tabs.Tab key={tab} value={tab}>
                {t(`tab.${tab}`)}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          <Tabs.Panel value="text">
            <Text definitionId={definitionId} revision={chosen.revision} />
          </Tabs.Panel>
          <Tabs.Panel value="changes">
            <Changes
              definitionId={definitionId}
              revisions={all}
              from={search.from ?? before?.revision ?? chosen.revision}
              to={chosen.revision}
              onChange={(from, to) => show({ tab: "changes", from, revision: to })}
            />
          </Tabs.Panel>
          <Tabs.Panel value="scenarios">
            <Scenarios definitionId={definitionId} name={name} revision={chosen.revision} />
          </Tabs.Panel>
          <Tabs.Panel value="move">
            <Move key={published?.revision} definitionId={definitionId} revisions={all} />
          </Tabs.Panel>
        </Tabs>
      </div>
    </>
  );
}

function Text({ definitionId, revision }: { definitionId: string; revision: number }) {
  const { t } = useTranslation("definitions");
  const { data, error } = useQuery(revisionQuery(definitionId, revision));
  if (error) return <Failure error={error} />;
  if (!data) return <Loading />;
  return (
    <div className={css.source}>
      <div className={css.copy}>
        <CopyButton value={data.text} what={t("text")} />
      </div>
      <Code block className={css.text} tabIndex={0} aria-label={t("text")} role="region">
        {data.text}
      </Code>
    </div>
  );
}

interface RevisionsProps {
  definitionId: string;
  revisions: readonly Revision[];
  /** The proposal that waits for somebody. */
  proposed: Proposal | undefined;
  chosen: Revision;
  onChosen: (revision: Revision) => void;
  onCompare: (revision: Revision) => void;
}

function Revisions({ definitionId, revisions, proposed, chosen, onChosen, onCompare }: RevisionsProps) {
  const { t } = useTranslation("definitions");
  const queryClient = useQueryClient();
  const byTwo = useQuery(publishingQuery).data?.secondPerson ?? false;
  const words = byTwo ? "propose" : "publish";
  const publish = useMutation({
    mutationFn: async ({ revision, note, insteadOf }: { revision: number; note: string; insteadOf: number | null }) => {
      const params = { path: { definitionId } };
      const body = { revision, note: note || null };
      await (byTwo
        ? got(api.POST("/definitions/{definitionId}/proposals", { params, body }))
        : got(api.POST("/definitions/{definitionId}/publish", { params, body: { ...body, insteadOf } })));
    },
    onSuccess: () => notifyDone(t(`${words}.done`)),
    onError: notifyFailed,
    onSettled: () => Promise.all([queryClient.invalidateQueries({ queryKey: ["definitions"] }), queryClient.invalidateQueries({ queryKey: ["proposals"] })]),
  });
  const ask = async (revision: number) => {
    // What stood there when the person decided.
    const insteadOf = revisions.find((one) => one.current)?.revision ?? null;
    const note = await confirm({
      title: t(`${words}.title`, { revision }),
      text: t(`${words}.text`),
      action: t(`${words}.do`),
      reason: { label: t("publish.note") },
    });
    if (note !== undefined) publish.mutate({ revision, note, insteadOf });
  };
  return (
    <ul className={css.revisions}>
      {revisions.map((one, place) => (
        <li key={one.revision} data-chosen={one === chosen || undefined}>
          <div className={css.revisionHead}>
            <button type="button" className={css.choose} aria-pressed={one === chosen} onClick={() => onChosen(one)}>
              {t("revision", { revision: one.revision })}
            </button>
            {one.current && <Tag tone="good" icon={IconRocket} text={t("published")} />}
            {!one.publishedDate && <Tag tone="quiet" text={t("draft")} />}
            {proposed?.revision === one.revision && <Tag tone="warn" text={t("proposal.tag")} />}
          </div>
          <span className="quiet">
            {one.createdBy} · <Time at={one.createdDate} />
          </span>
          {one.approvedBy && <span className="quiet">{t("approvedBy", { by: one.publishedBy, second: one.approvedBy })}</span>}
          {one.note && <span className={css.note}>{one.note}</span>}
          {place < COUNTED && <Running definitionId={definitionId} revision={one.revision} />}
          <div className={css.buttons}>
            {revisions.length > 1 && (
              <Button variant="subtle" size="compact-xs" leftSection={<IconGitCompare size={13} />} onClick={() => onCompare(one)}>
                {t("changes.show")}
              </Button>
            )}
            {!one.current && !(proposed?.revision === one.revision && proposed.status === "open") && (
              <Allowed by={byTwo ? "can_manage_definitions" : "can_publish_definitions"}>
                <Button
                  variant="default"
                  size="compact-xs"
                  loading={publish.isPending && publish.variables.revision === one.revision}
                  onClick={() => void ask(one.revision)}
                >
                  {t(`${words}.do`)}
                </Button>
              </Allowed>
            )}
          </div>
        </li>
      ))}
    </ul>
  );
}

/** How many executions run a revision, and how many have failed on it. */
function Running({ definitionId, revision }: { definitionId: string; revision: number }) {
  const { t } = useTranslation("definitions");
  const may = useMay("can_view_executions");
  const { data } = useQuery({
    queryKey: ["executions", "counts", definitionId, revision],
    queryFn: () => got(api.GET("/workflows/counts", { params: { query: { workflowDefinitionId: definitionId, revision } } })),
    enabled: may,
    staleTime: 60_000,
  });
  if (!data) return null;
  const open = (data.counts["RUNNING"] ?? 0) + (data.counts["AWAITING"] ?? 0);
  const failed = data.counts["FAILED"] ?? 0;
  const all = Object.values(data.counts).reduce((sum, count) => sum + count, 0);
  return (
    <span className={css.running}>
      <Link to="/executions" search={{ definition: definitionId, revision }}>
        {t("counts.all", { count: all })}
      </Link>
      {open > 0 && <span>{t("counts.open", { count: open })}</span>}
      {failed > 0 && <span className={css.failed}>{t("counts.failed", { count: failed })}</span>}
    </span>
  );
}
