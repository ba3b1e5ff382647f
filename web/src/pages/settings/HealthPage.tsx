import { Button } from "@mantine/core";
import { IconCheck, IconRefresh } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { Schemas } from "@/api/client";
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
const AGAIN = 10_000;
const LATE = 60;
const CLOCK_TOLERATED = 2;
const SLOW = 200;
const LITTLE = 1_000_000_000;

/** How the whole installation stands, and what is wrong with it. */
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
  const query = useQuery({ ...operationsQuery, refetchInterval: AGAIN });
  const { data } = query;
  return (
    <>
      <PageHeader
        title={t("health.title")}
        below={t("health.text")}
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
          <Section title={t("health.processes")}>
            <Processes found={data} />
          </Section>
          <Section title={t("health.queue")}>
            <Queue found={data} />
          </Section>
          <Section title={t("health.work")}>
            <Work found={data} />
          </Section>
          <Section title={t("health.beneath")}>
            <Beneath found={data} />
          </Section>
        </>
      )}
    </>
  );
}

/** What is wrong, each with what to do; or that nothing is. */
function Verdict({ found }: { found: Operations }) {
  const { t, i18n } = useTranslation("admin");
  const oldest = Math.max(0, ...found.jobs.map((jobs) => jobs.oldestDueSeconds ?? 0));
  const versions = new Set(found.processes.filter(({ alive }) => alive).map(({ version }) => version));
  const wrong: { id: string; text: ReactNode }[] = [];
  const say = (is: boolean, id: string, text: ReactNode) => is && wrong.push({ id, text });
  say(found.workers === 0, "workers", t("health.wrong.workers"));
  say(oldest > LATE, "late", t("health.wrong.late", { time: duration(oldest * 1000) }));
  say(found.executions.stranded > 0, "stranded", t("health.wrong.stranded", { count: found.executions.stranded }));
  say(found.webhooks.overdueSeconds > LATE, "overdue", t("health.wrong.overdue", { time: duration(found.webhooks.overdueSeconds * 1000) }));
  say(found.webhooks.disabled > 0, "disabled", <>{t("health.wrong.disabled", { count: found.webhooks.disabled })} <Link to="/webhooks">{t("health.webhooks")}</Link></>);
  say(Math.abs(found.clockOffSeconds) > CLOCK_TOLERATED, "clock", t("health.wrong.clock", { seconds: found.clockOffSeconds }));
  say(found.storage.refusal !== null, "storage", t("health.wrong.storage", { why: found.storage.refusal }));
  say(found.storage.free !== null && found.storage.free < LITTLE, "full", t("health.wrong.full", { free: size(found.storage.free ?? 0, i18n.language) }));
  say(found.database.milliseconds > SLOW, "slow", t("health.wrong.slow", { time: duration(found.database.milliseconds) }));
  say(found.database.replica === false, "replica", t("health.wrong.replica"));
  say(versions.size > 1, "versions", t("health.wrong.versions", { versions: [...versions].join(", ") }));
  say(found.mail.server === null, "mail", <>{t("health.wrong.mail")} <Link to="/settings/mail">{t("mail.title")}</Link></>);
  say(found.mail.refusal !== null, "refused", <>{found.mail.refusal} <Link to="/settings/mail">{t("mail.title")}</Link></>);
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

function Processes({ found }: { found: Operations }) {
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

function Queue({ found }: { found: Operations }) {
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

function Work({ found }: { found: Operations }) {
  const { t, i18n } = useTranslation("admin");
  const number = new Intl.NumberFormat(i18n.language);
  const { executions, webhooks } = found;
  return (
    <Facts
      facts={[
        { name: t("health.running"), value: number.format(executions.running) },
        { name: t("health.awaiting"), value: number.format(executions.awaiting) },
        { name: t("health.failed"), value: <Link to="/executions" search={{ status: "FAILED" }}>{number.format(executions.failed)}</Link> },
        { name: t("health.stranded"), value: number.format(executions.stranded) },
        { name: t("health.pending"), value: number.format(webhooks.pending) },
        { name: t("health.overdue"), value: webhooks.overdueSeconds > 0 ? duration(webhooks.overdueSeconds * 1000) : "–" },
        { name: t("health.failing"), value: number.format(webhooks.failing) },
        { name: t("health.disabled"), value: number.format(webhooks.disabled) },
      ]}
    />
  );
}

function Beneath({ found }: { found: Operations }) {
  const { t, i18n } = useTranslation("admin");
  const { database, storage } = found;
  return (
    <Facts
      facts={[
        { name: t("health.release"), value: found.version },
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
