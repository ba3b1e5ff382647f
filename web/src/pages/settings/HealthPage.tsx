import { Button } from "@mantine/core";
import { IconCheck, IconRefresh } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { Schemas } from "@/api/client";
import { useMe } from "@/app/auth";
import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { Notice } from "@/components/Notice";
import { PageHeader } from "@/components/PageHeader";
import { Section } from "@/components/Section";
import { Tag } from "@/components/Status";
import { Time } from "@/components/Time";
import { duration } from "@/components/times";
import { Facts } from "./Facts";
import { Needs } from "./Needs";
import { operationsQuery } from "./queries";
import { RowsTable } from "./RowsTable";
import { size } from "./sizes";
import css from "./Settings.module.css";

type Operations = Schemas["OperationsAnswer"];
type Installation = Schemas["InstallationAnswer"];
const AGAIN = 10_000;
const LATE = 60;
const CLOCK_TOLERATED = 2;
const SLOW = 200;
const LITTLE = 1_000_000_000;

interface Wrong {
  id: string;
  text: ReactNode;
}

/** How the workspace stands, and what is wrong with it; the installation, too, for whoever runs it. */
export function HealthPage() {
  const { t } = useTranslation("admin");
  return (
    <Needs permission="can_view_operations" title={t("health.title")}>
      <Health />
    </Needs>
  );
}

function Health() {
  const { t } = useTranslation("admin");
  const { workspace } = useMe();
  const query = useQuery({ ...operationsQuery, refetchInterval: AGAIN });
  const { data } = query;
  return (
    <>
      <PageHeader
        title={t("health.title")}
        below={t("health.text", { workspace: workspace?.name })}
        actions={
          <Button variant="default" leftSection={<IconRefresh size={15} />} onClick={() => void query.refetch()}>
            {t("health.again")}
          </Button>
        }
      />
      {query.error && <Failure error={query.error} onRetry={() => void query.refetch()} />}
      {!data && !query.error && <Loading />}
      {data && (
        <>
          <Verdict found={data} />
          <Section title={t("health.work")}>
            <Work found={data} own />
          </Section>
          {data.installation && <Beneath release={data.version} found={data.installation} />}
        </>
      )}
    </>
  );
}

/** What is wrong, each with what to do; or that nothing is. */
function Verdict({ found }: { found: Operations }) {
  const { t } = useTranslation("admin");
  const { executions, webhooks, installation, mail, workers } = found;
  const wrong: Wrong[] = [];
  const say = (is: boolean, id: string, text: ReactNode) => is && wrong.push({ id, text });
  say(workers === 0, "workers", t("health.wrong.workers"));
  say(executions.stranded > 0, "stranded", t("health.wrong.stranded", { count: executions.stranded }));
  say(webhooks.overdueSeconds > LATE, "overdue", t("health.wrong.overdue", { time: duration(webhooks.overdueSeconds * 1000) }));
  say(webhooks.disabled > 0, "disabled", <>{t("health.wrong.disabled", { count: webhooks.disabled })} <Link to="/webhooks">{t("health.webhooks")}</Link></>);
  say(!mail.sends, "mail", <>{installation?.mail.refusal ?? t("health.wrong.mail")} <Link to="/settings/mail">{t("mail.title")}</Link></>);
  wrong.push(...useWrongBeneath(installation));
  if (wrong.length === 0) {
    return (
      <p className={css.good} role="status">
        <IconCheck size={18} aria-hidden /> {t("health.good")}
      </p>
    );
  }
  return (
    <Notice tone="warn" title={t("health.wrong.title", { count: wrong.length })}>
      <ul className={css.wrong}>
        {wrong.map(({ id, text }) => (
          <li key={id}>{text}</li>
        ))}
      </ul>
    </Notice>
  );
}

/** What is wrong with the installation, for whoever runs it. */
function useWrongBeneath(found: Installation | null): Wrong[] {
  const { t, i18n } = useTranslation("admin");
  if (!found) return [];
  const { database, storage } = found;
  const oldest = Math.max(0, ...found.jobs.map((jobs) => jobs.oldestDueSeconds ?? 0));
  const versions = new Set(found.processes.filter(({ alive }) => alive).map(({ version }) => version));
  const wrong: Wrong[] = [];
  const say = (is: boolean, id: string, text: string) => is && wrong.push({ id, text });
  say(oldest > LATE, "late", t("health.wrong.late", { time: duration(oldest * 1000) }));
  say(Math.abs(found.clockOffSeconds) > CLOCK_TOLERATED, "clock", t("health.wrong.clock", { seconds: found.clockOffSeconds }));
  say(storage.refusal !== null, "storage", t("health.wrong.storage", { why: storage.refusal }));
  say(storage.free !== null && storage.free < LITTLE, "full", t("health.wrong.full", { free: size(storage.free ?? 0, i18n.language) }));
  say(database.milliseconds > SLOW, "slow", t("health.wrong.slow", { time: duration(database.milliseconds) }));
  say(database.replica === false, "replica", t("health.wrong.replica"));
  say(versions.size > 1, "versions", t("health.wrong.versions", { versions: [...versions].join(", ") }));
  return wrong;
}

/** The installation, all workspaces together. */
function Beneath({ release, found }: { release: string; found: Installation }) {
  const { t } = useTranslation("admin");
  return (
    <>
      <Section title={t("health.installation")}>
        <p className={css.partText}>{t("health.installationText")}</p>
        <Ground release={release} found={found} />
      </Section>
      <Section title={t("health.processes")}>
        <Processes found={found} />
      </Section>
      <Section title={t("health.queue")}>
        <Queue found={found} />
      </Section>
      <Section title={t("health.all")}>
        <Work found={found} />
      </Section>
    </>
  );
}

function Processes({ found }: { found: Installation }) {
  const { t } = useTranslation("admin");
  if (found.processes.length === 0) return <p className={css.partText}>{t("health.noProcesses")}</p>;
  return (
    <RowsTable
      label={t("health.processes")}
      rows={found.processes}
      keyOf={({ id }) => id}
      columns={[
        {
          id: "kind",
          header: t("health.process"),
          cell: ({ kind, host, pid }) => (
            <>
              <div className={css.name}>{t(`health.kinds.${kind}`)}</div>
              <span className="quiet">
                {host} · {pid}
              </span>
            </>
          ),
        },
        { id: "alive", header: t("health.state"), cell: ({ alive }) => <Tag tone={alive ? "good" : "bad"} text={t(alive ? "health.alive" : "health.silent")} /> },
        { id: "version", header: t("health.version"), cell: ({ version }) => version },
        { id: "started", header: t("health.started"), cell: ({ startedAt }) => <Time at={startedAt} relative /> },
        { id: "seen", header: t("health.seen"), cell: ({ seenAt }) => <Time at={seenAt} relative /> },
      ]}
    />
  );
}

function Queue({ found }: { found: Installation }) {
  const { t, i18n } = useTranslation("admin");
  const number = new Intl.NumberFormat(i18n.language);
  if (found.jobs.length === 0) return <p className={css.partText}>{t("health.noJobs")}</p>;
  return (
    <RowsTable
      label={t("health.queue")}
      rows={found.jobs}
      keyOf={({ kind }) => kind}
      columns={[
        { id: "kind", header: t("health.job"), cell: ({ kind }) => <code className="mono">{kind}</code> },
        { id: "due", header: t("health.due"), cell: ({ due }) => <span className="numbers">{number.format(due)}</span> },
        { id: "under", header: t("health.underWay"), cell: ({ underWay }) => <span className="numbers">{number.format(underWay)}</span> },
        { id: "later", header: t("health.later"), cell: ({ later }) => <span className="numbers">{number.format(later)}</span> },
        { id: "again", header: t("health.triedAgain"), cell: ({ triedAgain }) => <span className="numbers">{number.format(triedAgain)}</span> },
        {
          id: "oldest",
          header: t("health.oldest"),
          cell: ({ oldestDueSeconds: seconds }) => (seconds === null ? <span className="quiet">–</span> : <span className="numbers">{duration(seconds * 1000)}</span>),
        },
      ]}
    />
  );
}

/** `own`: whether the lists of this workspace have what is counted. */
function Work({ found, own = false }: { found: Pick<Operations, "executions" | "webhooks">; own?: boolean }) {
  const { t, i18n } = useTranslation("admin");
  const number = new Intl.NumberFormat(i18n.language);
  const { executions, webhooks } = found;
  return (
    <Facts
      facts={[
        { name: t("health.running"), value: number.format(executions.running) },
        { name: t("health.awaiting"), value: number.format(executions.awaiting) },
        { name: t("health.failed"), value: own ? <Link to="/executions" search={{ status: "FAILED" }}>{number.format(executions.failed)}</Link> : number.format(executions.failed) },
        { name: t("health.stranded"), value: number.format(executions.stranded) },
        { name: t("health.pending"), value: number.format(webhooks.pending) },
        { name: t("health.overdue"), value: webhooks.overdueSeconds > 0 ? duration(webhooks.overdueSeconds * 1000) : "–" },
        { name: t("health.failing"), value: number.format(webhooks.failing) },
        { name: t("health.disabled"), value: number.format(webhooks.disabled) },
      ]}
    />
  );
}

function Ground({ release, found }: { release: string; found: Installation }) {
  const { t, i18n } = useTranslation("admin");
  const { database, storage } = found;
  return (
    <Facts
      facts={[
        { name: t("health.release"), value: release },
        { name: "PostgreSQL", value: `${database.version} · ${duration(database.milliseconds)}` },
        ...(database.size === null ? [] : [{ name: t("health.size"), value: size(database.size, i18n.language) }]),
        ...(database.replica === null ? [] : [{ name: t("health.replica"), value: t(database.replica ? "health.alive" : "health.silent") }]),
        { name: t("health.clock"), value: t("health.clockOff", { seconds: found.clockOffSeconds }) },
        { name: t("health.storage"), value: storage.refusal ?? `${storage.kind}${storage.free === null ? "" : ` · ${t("health.free", { free: size(storage.free, i18n.language) })}`}` },
        { name: t("mail.title"), value: found.mail.server ?? t("mail.none") },
      ]}
    />
  );
}
