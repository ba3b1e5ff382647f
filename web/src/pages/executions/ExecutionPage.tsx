import { Button, Skeleton } from "@mantine/core";
import { IconGitCompare } from "@tabler/icons-react";
import { useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { Reasoned } from "@/components/Allowed";
import { Boundary } from "@/components/Boundary";
import { CurlButton } from "@/components/CurlButton";
import { ExecutionComments } from "@/components/ExecutionComments";
import { Id } from "@/components/Id";
import { Json } from "@/components/Json";
import { PageHeader } from "@/components/PageHeader";
import { Section } from "@/components/Section";
import { Status } from "@/components/Status";
import { Time } from "@/components/Time";
import type { LiveEvent } from "@/live/stream";
import { useLive } from "@/live/useLive";
import { Actions } from "./Actions";
import { Children, Deliveries, Links, Mails, RecordChanges } from "./Around";
import { Consents } from "./Consents";
import { Outline } from "./Outline";
import { executionQuery, graphQuery, timelineQuery } from "./queries";
import { Standing } from "./Standing";
import { StepDetail } from "./StepDetail";
import type { Execution } from "./types";
import css from "./Execution.module.css";

const Flow = lazy(() => import("./Flow").then((file) => ({ default: file.Flow })));
const route = getRouteApi("/executions/$executionId");
const EVENTS = ["workflow.*", "review.*", "link.*", "email.*"] as const;

/** One execution: where it is, why, what came from outside, what can be done. */
export function ExecutionPage() {
  const { t } = useTranslation("executions");
  const { executionId } = route.useParams();
  const { step, failed = false } = route.useSearch();
  const navigate = route.useNavigate();
  const queryClient = useQueryClient();
  const { data: execution } = useSuspenseQuery(executionQuery(executionId));
  const { data: timeline } = useSuspenseQuery(timelineQuery(executionId));
  const { data: graph } = useQuery(graphQuery(executionId));
  const { data: result } = useQuery({
    queryKey: ["executions", executionId, "result"],
    queryFn: () => got(api.GET("/workflows/{workflowId}/result", { params: { path: { workflowId: executionId } } })),
    enabled: execution.status === "COMPLETED",
  });
  useLive(EVENTS, ({ type, data }: LiveEvent) => {
    if (type !== "missed" && data["workflowId"] !== executionId) return;
    void queryClient.invalidateQueries({ queryKey: ["executions", executionId] });
  });
  const choose = (chosen: string | undefined) =>
    void navigate({ search: (before) => ({ ...before, step: chosen }), replace: true });
  const path = `/workflows/${executionId}`;
  return (
    <>
      <PageHeader
        above={<Link to="/executions">{t("page.list")}</Link>}
        title={execution.name}
        below={
          <>
            <Status status={execution.status} />
            <Id id={execution.id} what={t("page.calls")} />
            <span>{t("page.of", { revision: execution.revision })}</span>
            <span>
              {t("page.started")} <Time at={execution.createdDate} />
            </span>
            {execution.startedBy && (
              <span>{t(`page.startedBy.${execution.startedBy.type}`, { name: execution.startedBy.name })}</span>
            )}
            {execution.completedDate && (
              <span>
                {t("page.ended")} <Time at={execution.completedDate} />
              </span>
            )}
            {execution.expiresAt && !execution.completedDate && (
              <span>
                {t("page.expires")} <Time at={execution.expiresAt} />
              </span>
            )}
            {execution.parentId && (
              <Link to="/executions/$executionId" params={{ executionId: execution.parentId }}>
                {t("page.parent")}
              </Link>
            )}
          </>
        }
        actions={
          <>
            <Actions execution={execution} />
            <CompareWithEarlier execution={execution} />
            <CurlButton
              calls={[
                { text: t("page.calls"), call: { path } },
                { text: t("page.timeline"), call: { path: `${path}/timeline` } },
                { text: t("action.retry"), call: { method: "POST", path: `${path}/retry` } },
                { text: t("action.cancel"), call: { method: "POST", path: `${path}/cancel`, body: { reason: "" } } },
              ]}
            />
          </>
        }
      />
      <Standing execution={execution} />
      <div className={css.halves}>
        <div>
          <Section title={t("page.steps")}>
            <Outline
              timeline={timeline}
              chosen={step}
              onlyFailed={failed}
              onChoose={choose}
              onOnlyFailed={(only) =>
                void navigate({ search: (before) => ({ ...before, failed: only || undefined }), replace: true })
              }
            />
          </Section>
        </div>
        <div>
          <StepDetail execution={execution} timeline={timeline} chosen={step} onClose={() => choose(undefined)} />
          <Section title={t("page.path")}>
            <Boundary>
              <Suspense fallback={<Skeleton height={320} />}>
                {graph && <Flow graph={graph} timeline={timeline} chosen={step} onChoose={choose} />}
              </Suspense>
            </Boundary>
          </Section>
        </div>
      </div>
      <div className={css.cards}>
        {result?.result !== undefined && result.result !== null && (
          <Section title={t("page.result")}>
            <Json value={result.result} />
          </Section>
        )}
        {Object.keys(execution.parameters).length > 0 && (
          <Section title={t("page.parameters")}>
            <Json value={execution.parameters} />
          </Section>
        )}
        <Consents execution={execution} />
        <RecordChanges timeline={timeline} />
        <Links execution={execution} />
        <Mails timeline={timeline} />
        <Children executionId={executionId} />
        <Deliveries executionId={executionId} />
        <ExecutionComments executionId={executionId} />
      </div>
    </>
  );
}

/** Leads to this execution beside the one of the same definition that was before it. */
function CompareWithEarlier({ execution }: { execution: Execution }) {
  const { t } = useTranslation("executions");
  const filters = { workflowDefinitionId: execution.workflowDefinitionId, createdBefore: execution.createdDate, limit: 1 };
  const { data } = useQuery({
    queryKey: ["executions", execution.id, "before"],
    queryFn: () => got(api.GET("/workflows", { params: { query: filters } })),
    staleTime: Infinity,
  });
  const before = data?.data[0];
  return (
    <Reasoned reason={before ? undefined : t("compare.none")}>
      <Button
        variant="default"
        leftSection={<IconGitCompare size={15} />}
        component={Link}
        to={before ? `/executions/compare?left=${before.id}&right=${execution.id}` : "."}
      >
        {t("compare.do")}
      </Button>
    </Reasoned>
  );
}
