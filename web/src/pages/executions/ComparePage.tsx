import { Switch } from "@mantine/core";
import { IconEqual } from "@tabler/icons-react";
import { useSuspenseQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import { differences, type Difference } from "@/components/difference";
import { Empty } from "@/components/Empty";
import { Json } from "@/components/Json";
import { PageHeader } from "@/components/PageHeader";
import { Status, Tag } from "@/components/Status";
import { Time } from "@/components/Time";
import { duration } from "@/components/times";
import { pairs } from "./pairs";
import { executionQuery, timelineQuery } from "./queries";
import type { Execution, StepRun } from "./types";
import css from "./Compare.module.css";

const route = getRouteApi("/executions/compare");

/** Two executions beside each other: where they went apart, and with which values. */
export function ComparePage() {
  const { t } = useTranslation("executions");
  const { left, right, same = false } = route.useSearch();
  const navigate = route.useNavigate();
  const { data: one } = useSuspenseQuery(executionQuery(left));
  const { data: other } = useSuspenseQuery(executionQuery(right));
  const { data: oneTimeline } = useSuspenseQuery(timelineQuery(left));
  const { data: otherTimeline } = useSuspenseQuery(timelineQuery(right));
  const all = useMemo(() => pairs(oneTimeline, otherTimeline), [oneTimeline, otherTimeline]);
  const parameters = useMemo(() => differences(one.parameters, other.parameters), [one.parameters, other.parameters]);
  const shown = all.filter((pair) => same || pair.differences.length > 0);
  return (
    <>
      <PageHeader
        above={<Link to="/executions">{t("page.list")}</Link>}
        title={t("compare.title")}
        actions={
          <Switch
            size="xs"
            label={t("compare.same")}
            checked={same}
            onChange={(event) => void navigate({ search: { left, right, ...(event.currentTarget.checked && { same: true }) }, replace: true })}
          />
        }
      />
      <div className={css.table} role="table" aria-label={t("compare.title")}>
        <div role="rowgroup">
          <div role="row" className={css.row}>
            <span role="columnheader">{t("compare.step")}</span>
            <Head execution={one} />
            <Head execution={other} />
          </div>
        </div>
        {parameters.length > 0 && (
          <div role="rowgroup" className={css.step}>
            <Values name={t("page.parameters")} found={parameters} />
          </div>
        )}
        {shown.map((pair) => (
          <div key={pair.step} role="rowgroup" className={css.step}>
            <div role="row" className={css.row}>
              <strong role="rowheader">{pair.step}</strong>
              <Attempt run={pair.left} />
              <Attempt run={pair.right} />
            </div>
            {pair.left && pair.right && <Values found={pair.differences.filter((one) => one.path !== "status")} />}
          </div>
        ))}
      </div>
      {shown.length === 0 && parameters.length === 0 && <Empty icon={IconEqual} title={t("compare.equal")} />}
    </>
  );
}

function Head({ execution }: { execution: Execution }) {
  const { t } = useTranslation("executions");
  return (
    <div role="columnheader" className={css.head}>
      <Link to="/executions/$executionId" params={{ executionId: execution.id }}>
        {execution.name}
      </Link>
      <Status status={execution.status} />
      <span className="quiet">
        {t("page.of", { revision: execution.revision })} · <Time at={execution.createdDate} />
      </span>
    </div>
  );
}

function Attempt({ run }: { run: StepRun | undefined }) {
  const { t } = useTranslation("executions");
  if (!run) {
    return (
      <span role="cell" className="quiet">
        {t("graph.untouched")}
      </span>
    );
  }
  const took = run.endedAt === null ? undefined : Date.parse(run.endedAt) - Date.parse(run.startedAt);
  const tone = run.status === "FAILED" ? "bad" : run.status === "COMPLETED" ? "good" : "quiet";
  return (
    <span role="cell">
      <Tag tone={tone} text={t(`outline.status.${run.status}`)} /> {took !== undefined && <span className="quiet numbers">{duration(took)}</span>}
    </span>
  );
}

function Values({ name, found }: { name?: string; found: readonly Difference[] }) {
  return found.map((one) => (
    <div key={one.path} role="row" className={css.row}>
      <code role="rowheader" className={css.path}>
        {name ? `${name} · ${one.path}` : one.path}
      </code>
      <div role="cell" className={css.left}>
        <Json value={one.left} />
      </div>
      <div role="cell" className={css.right}>
        <Json value={one.right} />
      </div>
    </div>
  ));
}
