import { IconAlertTriangle, IconChecklist, IconLink, IconMoodSmile } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { useMay, useMe } from "@/app/auth";
import { Empty } from "@/components/Empty";
import { localized } from "@/components/localized";
import { PageHeader } from "@/components/PageHeader";
import { Section } from "@/components/Section";
import { Status } from "@/components/Status";
import { Time, useNow } from "@/components/Time";
import { dayBegins, dayOf } from "@/components/times";
import { useLive } from "@/live/useLive";
import { FirstSteps } from "./FirstSteps";
import css from "./Today.module.css";

const EVENTS = ["workflow.*", "review.*"] as const;
const STATUSES = ["RUNNING", "AWAITING", "COMPLETED", "FAILED", "EXPIRED", "CANCELLED"] as const;
const SHOWN = 8;
/** Milliseconds after which other links may end soon. */
const LOOK_AGAIN = 300_000;
const SOON = 24 * 3_600_000;

/** What waits for me, what fails, and what happened today: each number leads into its list. */
export function TodayPage() {
  const { t } = useTranslation("today");
  const queryClient = useQueryClient();
  const me = useMe();
  useLive(EVENTS, () => void queryClient.invalidateQueries({ queryKey: ["today"] }));
  return (
    <>
      <PageHeader title={t("title")} below={t("hello", { name: me.name })} />
      <FirstSteps />
      <Numbers />
      <div className={css.halves}>
        <Reviews />
        <Failures />
        <Expiring />
      </div>
    </>
  );
}

/** How many executions of today stand where. */
function Numbers() {
  const { t } = useTranslation("today");
  const may = useMay("can_view_executions");
  const { timeZone } = useMe();
  const day = dayOf(useNow(), timeZone);
  const createdFrom = dayBegins(day, timeZone).toISOString();
  const { data } = useQuery({
    queryKey: ["today", "counts", day],
    queryFn: () => got(api.GET("/workflows/counts", { params: { query: { createdFrom } } })),
    enabled: may,
  });
  if (!may) return null;
  return (
    <Section title={t("started")}>
      <ul className={css.numbers}>
        {STATUSES.map((status) => {
          const count = data?.counts[status];
          const most = data !== undefined && count !== undefined && count >= data.atMost;
          return (
            <li key={status}>
              <Link to="/executions" search={{ status, from: day }} className={css.number}>
                <span className={css.count}>{count === undefined ? "–" : `${count}${most ? "+" : ""}`}</span>
                <Status status={status} />
              </Link>
            </li>
          );
        })}
      </ul>
    </Section>
  );
}

/** Reviews that this person may decide. */
function Reviews() {
  const { t, i18n } = useTranslation("today");
  const may = useMay("can_review");
  const { data } = useQuery({
    queryKey: ["today", "reviews"],
    queryFn: () => got(api.GET("/reviews", { params: { query: { mine: true, limit: SHOWN } } })),
    enabled: may,
  });
  if (!may) return null;
  return (
    <Section title={t("reviews")} actions={<Link to="/reviews">{t("all")}</Link>}>
      {data?.data.length === 0 && <Empty small icon={IconMoodSmile} title={t("noReviews")} />}
      <ul className={css.rows}>
        {data?.data.map((review) => (
          <li key={`${review.workflowId} ${review.step}`}>
            <Link
              to="/reviews/$workflowId/$step"
              params={{ workflowId: review.workflowId, step: review.step }}
              className={css.row}
            >
              <IconChecklist size={16} stroke={1.7} aria-hidden />
              <span className={css.words}>{localized(review.title, i18n.language) || review.step}</span>
              <span className="quiet">{review.name}</span>
              <span className="quiet">
                <Time at={review.requestedAt} relative />
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** Links that nobody has used yet, and that end soon. */
function Expiring() {
  const { t } = useTranslation("today");
  const may = useMay("can_manage_links");
  const { data } = useQuery({
    queryKey: ["today", "links"],
    queryFn: () => got(api.GET("/link", { params: { query: { endsBefore: new Date(Date.now() + SOON).toISOString(), limit: SHOWN } } })),
    enabled: may,
    refetchInterval: LOOK_AGAIN,
  });
  if (!may) return null;
  const soon = data?.data ?? [];
  return (
    <Section title={t("expiring")} actions={<Link to="/links">{t("all")}</Link>}>
      {data && soon.length === 0 && <Empty small icon={IconMoodSmile} title={t("noExpiring")} />}
      <ul className={css.rows}>
        {soon.map((link) => (
          <li key={link.linkId}>
            <Link to="/executions/$executionId" params={{ executionId: link.workflowId }} className={css.row}>
              <IconLink size={16} stroke={1.7} aria-hidden />
              <span className={css.words}>{link.email ?? link.linkId.slice(0, 8)}</span>
              <span className="quiet">
                <Time at={link.expiresAt} relative />
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** Failed executions, grouped by definition and error. */
function Failures() {
  const { t } = useTranslation("today");
  const may = useMay("can_view_executions");
  const { data } = useQuery({
    queryKey: ["today", "failures"],
    queryFn: () => got(api.GET("/workflows/failures")),
    enabled: may,
  });
  if (!may) return null;
  return (
    <Section
      title={t("failures")}
      actions={
        <Link to="/executions" search={{ status: "FAILED" }}>
          {t("all")}
        </Link>
      }
    >
      {data?.data.length === 0 && <Empty small icon={IconMoodSmile} title={t("noFailures")} />}
      <ul className={css.rows}>
        {data?.data.slice(0, SHOWN).map((group) => (
          <li key={`${group.workflowDefinitionId} ${group.code}`}>
            <Link
              to="/executions"
              search={{
                status: "FAILED",
                definition: group.workflowDefinitionId,
                ...(group.code && { error: group.code }),
              }}
              className={css.row}
            >
              <IconAlertTriangle size={16} stroke={1.7} aria-hidden />
              <span className={css.words}>
                <span className="mono">{group.code}</span> <span className="quiet">{group.latestMessage}</span>
              </span>
              <span className="quiet">{group.name}</span>
              <strong className="numbers">{group.count}</strong>
            </Link>
          </li>
        ))}
      </ul>
    </Section>
  );
}
