import { Button } from "@mantine/core";
import { useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { useMay, useMe } from "@/app/auth";
import { useShortcuts } from "@/app/keyboard";
import { localized } from "@/components/localized";
import { PageHeader } from "@/components/PageHeader";
import { Time } from "@/components/Time";
import { useLive } from "@/live/useLive";
import { Case } from "./Case";
import { Closed } from "./Closed";
import { Decision } from "./Decision";
import { Due } from "./Due";
import { caseQuery, queueQuery, reviewQuery, type Review } from "./queries";
import css from "./Review.module.css";

const route = getRouteApi("/reviews/$workflowId/$step");
const EVENTS = ["review.*", "workflow.*"] as const;

/** One case on one screen, and the decision. */
export function ReviewPage() {
  const { t, i18n } = useTranslation("reviews");
  const { workflowId, step } = route.useParams();
  const search = route.useSearch();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const me = useMe();
  const personal = useMay("can_read_personal_data");
  const { data: open } = useSuspenseQuery(reviewQuery(workflowId));
  const { data: queue } = useQuery(queueQuery(search, me.id));
  const { data: timeline } = useSuspenseQuery(caseQuery(workflowId, personal));
  const review = open.data.find((one) => one.step === step);
  const all = queue?.data ?? [];
  const at = all.findIndex((one) => one.workflowId === workflowId && one.step === step);
  const others = all.filter((_, place) => place !== at);
  const following = at < 0 ? others[0] : (all[at + 1] ?? others[0]);
  const previous = at > 0 ? all[at - 1] : undefined;
  const goTo = (to: Review | undefined) =>
    void (to
      ? navigate({ to: "/reviews/$workflowId/$step", params: { workflowId: to.workflowId, step: to.step }, search })
      : navigate({ to: "/reviews", search }));
  useLive(EVENTS, ({ type, data }) => {
    if (type === "missed" || data["workflowId"] === workflowId) void queryClient.invalidateQueries({ queryKey: ["reviews", workflowId] });
    void queryClient.invalidateQueries({ queryKey: ["reviews", "queue"] });
  });
  useShortcuts(t("title"), [
    { keys: "j", text: t("key.next"), run: () => goTo(following) },
    { keys: "k", text: t("key.previous"), run: () => goTo(previous) },
  ]);
  const above = (
    <Link to="/reviews" search={search}>
      {t("title")}
    </Link>
  );
  if (!review) {
    return (
      <>
        <PageHeader above={above} title={t("decided.title")} />
        <Closed timeline={timeline} step={step} workflowId={workflowId}>
          <Button onClick={() => goTo(following)}>{following ? t("key.next") : t("decided.back")}</Button>
          <Button component={Link} variant="default" to={`/executions/${workflowId}`}>
            {t("decided.execution")}
          </Button>
        </Closed>
      </>
    );
  }
  return (
    <>
      <PageHeader
        above={above}
        title={localized(review.title, i18n.language) || review.step}
        below={
          <>
            <span>{review.name}</span>
            <span>
              {t("asked")} <Time at={review.requestedAt} relative />
            </span>
            <span>{t("assigned", { to: review.assignTo ?? t("anybody") })}</span>
            <Due review={review} />
            <Link to="/executions/$executionId" params={{ executionId: workflowId }}>
              {t("decided.execution")}
            </Link>
          </>
        }
        actions={
          <>
            <span className="quiet numbers">{at >= 0 && t("place", { at: at + 1, of: all.length })}</span>
            <Button variant="default" onClick={() => goTo(following)}>
              {t("key.next")}
            </Button>
          </>
        }
      />
      <div className={css.page}>
        <Case timeline={timeline} workflowId={workflowId} masked={!personal} />
        <Decision key={`${workflowId} ${step}`} review={review} timeline={timeline} onDecided={() => goTo(following)} />
      </div>
    </>
  );
}
