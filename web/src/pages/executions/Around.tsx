import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { useMay } from "@/app/auth";
import { Json } from "@/components/Json";
import { LinkActions } from "@/components/LinkActions";
import { Section } from "@/components/Section";
import { Status, Tag } from "@/components/Status";
import { Time } from "@/components/Time";
import type { Execution, Timeline } from "./types";
import css from "./Execution.module.css";

const MOST = 50;

/** The links of an execution: what became of them, withdraw, send again. */
export function Links({ execution }: { execution: Execution }) {
  const { t } = useTranslation("executions");
  const queryClient = useQueryClient();
  const may = useMay("can_manage_links");
  const queryKey = ["executions", execution.id, "links"];
  const { data } = useQuery({
    queryKey,
    queryFn: () => got(api.GET("/link", { params: { query: { workflowId: execution.id, limit: MOST } } })),
    enabled: may && execution.executionType === "INTERACTIVE",
  });
  const settled = () => queryClient.invalidateQueries({ queryKey });
  if (!data || data.data.length === 0) return null;
  return (
    <Section title={t("page.links")}>
      <ul className={css.plain}>
        {data.data.map((link) => (
          <li key={link.linkId}>
            <Tag tone={link.state === "FRESH" ? "busy" : link.state === "SPENT" ? "good" : "quiet"} text={t(`link.status.${link.state}`)} />
            <span className={css.grow}>
              {link.email ?? ""}{" "}
              <span className="quiet">
                <Time at={link.createdDate} />, {t("link.until")} <Time at={link.expiresAt} />
              </span>
            </span>
            {link.sending && (
              <span className={link.sending.status === "FAILED" ? undefined : "quiet"} title={link.sending.error ?? undefined}>
                {t(`link.sending.${link.sending.status}`)}
              </span>
            )}
            <LinkActions link={link} onSettled={settled} />
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** What an execution did to records. */
export function RecordChanges({ timeline }: { timeline: Timeline }) {
  const { t } = useTranslation("executions");
  if (timeline.recordChanges.length === 0) return null;
  return (
    <Section title={t("page.records")}>
      {timeline.recordChanges.map((change) => (
        <div key={`${change.recordId}${change.version}`}>
          <p>
            <Link to="/records/$table/$recordId" params={{ table: change.table, recordId: change.recordId }}>
              {change.table}
            </Link>{" "}
            <span className="mono quiet">{change.recordId}</span>{" "}
            <span className="quiet">
              {t("record.version", { version: change.version })} · <Time at={change.at} />
            </span>
          </p>
          <Json value={Object.fromEntries(change.changes.map((one) => [one.field, one.new]))} />
        </div>
      ))}
    </Section>
  );
}

/** Mails that its steps sent. */
export function Mails({ timeline }: { timeline: Timeline }) {
  const { t } = useTranslation("executions");
  const mails = timeline.steps.filter((run) => run.kind === "email");
  if (mails.length === 0) return null;
  return (
    <Section title={t("page.mails")}>
      <ul className={css.plain}>
        {mails.map((run) => {
          const { to, subject } = (run.input ?? {}) as { to?: unknown; subject?: unknown };
          return (
            <li key={`${run.step} ${run.visit} ${run.attempt}`}>
              <Tag tone={run.status === "COMPLETED" ? "good" : run.status === "FAILED" ? "bad" : "warn"} text={t(`mail.${run.status}`)} />
              <span className={css.grow}>
                {typeof subject === "string" ? subject : run.step}{" "}
                <span className="quiet">{Array.isArray(to) ? to.join(", ") : typeof to === "string" ? to : ""}</span>
              </span>
              <span className="quiet">
                <Time at={run.startedAt} />
              </span>
            </li>
          );
        })}
      </ul>
    </Section>
  );
}

/** Executions that its steps started. */
export function Children({ executionId }: { executionId: string }) {
  const { t } = useTranslation("executions");
  const { data } = useQuery({
    queryKey: ["executions", executionId, "children"],
    queryFn: () => got(api.GET("/workflows", { params: { query: { parentId: executionId, limit: MOST } } })),
  });
  if (!data || data.data.length === 0) return null;
  return (
    <Section title={t("page.children")}>
      <ul className={css.plain}>
        {data.data.map((child) => (
          <li key={child.id}>
            <Status status={child.status} />
            <Link to="/executions/$executionId" params={{ executionId: child.id }}>
              {child.name}
            </Link>
            <span className="quiet">
              <Time at={child.createdDate} />
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** Webhooks that came of it. */
export function Deliveries({ executionId }: { executionId: string }) {
  const { t } = useTranslation("executions");
  const may = useMay("can_view_webhooks");
  const { data } = useQuery({
    queryKey: ["executions", executionId, "deliveries"],
    queryFn: () => got(api.GET("/webhooks/deliveries", { params: { query: { workflowId: executionId, limit: MOST } } })),
    enabled: may,
  });
  if (!data || data.data.length === 0) return null;
  return (
    <Section title={t("page.events")} actions={<Link to="/webhooks">{t("page.allDeliveries")}</Link>}>
      <ul className={css.plain}>
        {data.data.map((delivery) => (
          <li key={delivery.id}>
            <Tag tone={delivery.status === "DELIVERED" ? "good" : "warn"} text={t(`delivery.${delivery.status}`)} />
            <span className={`mono ${css.grow}`}>{delivery.eventType}</span>
            <span className="quiet">
              <Time at={delivery.createdDate} />
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
