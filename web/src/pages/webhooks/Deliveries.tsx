import { Button, CloseButton, Select } from "@mantine/core";
import { IconRefresh, IconWebhook } from "@tabler/icons-react";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { api, got, type Schemas } from "@/api/client";
import { Allowed } from "@/components/Allowed";
import { notifyDone, notifyFailed } from "@/components/confirm";
import { Empty } from "@/components/Empty";
import { Json } from "@/components/Json";
import { List, type Column, type Page } from "@/components/List";
import { Loading } from "@/components/Loading";
import { Section } from "@/components/Section";
import { Tag } from "@/components/Status";
import { Time } from "@/components/Time";
import { STATUSES } from "./search";
import css from "./Webhooks.module.css";

type Delivery = Schemas["DeliveryAnswer"];

const route = getRouteApi("/webhooks");
const TONES = { PENDING: "warn", DELIVERED: "good", FAILED: "bad" } as const;

/** What became of each event that an endpoint asks for. */
export function Deliveries() {
  const { t } = useTranslation("webhooks");
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { status } = search;
  const query = useInfiniteQuery({
    queryKey: ["webhooks", "deliveries", status],
    queryFn: ({ pageParam }) =>
      got(api.GET("/webhooks/deliveries", { params: { query: { limit: 50, ...(status && { status }), ...(pageParam && { after: pageParam }) } as never } })),
    initialPageParam: "",
    getNextPageParam: (page: Page<Delivery>) => page.next ?? undefined,
  });
  const columns: Column<Delivery>[] = [
    { id: "event", header: t("column.event"), cell: (row) => <span className="mono">{row.eventType}</span> },
    { id: "status", header: t("status.name"), cell: (row) => <Tag tone={TONES[row.status]} text={t(`status.${row.status}`)} />, width: "9rem" },
    { id: "attempts", header: t("column.attempts"), cell: (row) => row.attempts, align: "end", width: "7rem", wideOnly: true },
    { id: "at", header: t("column.at"), cell: (row) => <Time at={row.createdDate} />, align: "end", width: "9rem" },
  ];
  return (
    <>
      <Select
        aria-label={t("status.name")}
        placeholder={t("status.name")}
        data={STATUSES.map((value) => ({ value, label: t(`status.${value}`) }))}
        value={status ?? null}
        onChange={(value) => void navigate({ search: { tab: "deliveries", ...(value && { status: value }) }, replace: true })}
        clearable
        className={css.filter}
      />
      {search.delivery && <Detail id={search.delivery} onClose={() => void navigate({ search: { tab: "deliveries", ...(status && { status }) }, replace: true })} />}
      <List
        label={t("tab.deliveries")}
        query={query}
        columns={columns}
        keyOf={(row) => row.id}
        link={(row) => ({ to: "/webhooks", search: { tab: "deliveries", ...(status && { status }), delivery: row.id } })}
        empty={<Empty icon={IconWebhook} title={t("empty.title")} text={t("empty.text")} />}
      />
    </>
  );
}

/** One delivery: what was sent when, and what the other side answered. */
function Detail({ id, onClose }: { id: string; onClose: () => void }) {
  const { t } = useTranslation("webhooks");
  const queryClient = useQueryClient();
  const { data } = useQuery({
    queryKey: ["webhooks", "delivery", id],
    queryFn: () => got(api.GET("/webhooks/deliveries/{deliveryId}", { params: { path: { deliveryId: id } } })),
  });
  const replay = useMutation({
    mutationFn: () => got(api.POST("/webhooks/deliveries/{deliveryId}/replay", { params: { path: { deliveryId: id } } })),
    onSuccess: () => notifyDone(t("replayed")),
    onError: notifyFailed,
    onSettled: () => queryClient.invalidateQueries({ queryKey: ["webhooks"] }),
  });
  return (
    <Section title={data?.eventType ?? t("delivery")} actions={<CloseButton size="sm" aria-label={t("close")} onClick={onClose} />}>
      {!data ? (
        <Loading />
      ) : (
        <div className={css.card}>
          <div className={css.cardFoot}>
            {data.workflowId && (
              <Link to="/executions/$executionId" params={{ executionId: data.workflowId }}>
                {t("execution")}
              </Link>
            )}
            {data.nextAttemptDate && (
              <span className="quiet">
                {t("next")} <Time at={data.nextAttemptDate} />
              </span>
            )}
            <span className={css.grow} />
            <Allowed by="can_manage_webhooks">
              <Button variant="default" size="compact-sm" leftSection={<IconRefresh size={14} />} loading={replay.isPending} onClick={() => replay.mutate()}>
                {t("replay")}
              </Button>
            </Allowed>
          </div>
          <Json value={data.log} />
        </div>
      )}
    </Section>
  );
}
