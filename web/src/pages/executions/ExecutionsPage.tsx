import { Button } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { useInfiniteQuery, useQueryClient, type InfiniteData } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { useMe } from "@/app/auth";
import { DOCS } from "@/app/navigation";
import { CurlButton } from "@/components/CurlButton";
import { Empty } from "@/components/Empty";
import { List, type Column, type Page } from "@/components/List";
import { PageHeader } from "@/components/PageHeader";
import { Status } from "@/components/Status";
import { Time } from "@/components/Time";
import type { LiveEvent } from "@/live/stream";
import { useLive } from "@/live/useLive";
import { ExecutionFilters } from "./ExecutionFilters";
import { asQuery } from "./search";
import { Selected } from "./Selected";
import { WaitingFor } from "./WaitingFor";
import type { Execution } from "./types";

const route = getRouteApi("/executions");
const EVENTS = ["workflow.*"] as const;
const LIMIT = 50;

/** Every execution of the workspace, newest first. */
export function ExecutionsPage() {
  const { t } = useTranslation("executions");
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { timeZone } = useMe();
  const filters = asQuery(search, timeZone);
  const queryKey = ["executions", "list", filters] as const;
  const query = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) =>
      got(api.GET("/workflows", { params: { query: { ...filters, limit: LIMIT, ...(pageParam && { after: pageParam }) } } })),
    initialPageParam: "",
    getNextPageParam: (page: Page<Execution>) => page.next ?? undefined,
    // Rows come and go only when the person asks for it.
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  });
  const { news, show } = useNews(queryKey);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const rows = query.data?.pages.flatMap((page) => page.data) ?? [];
  const filtered = Object.keys(search).length > 0;
  const columns: Column<Execution>[] = [
    { id: "name", header: t("column.name"), cell: (row) => row.name },
    { id: "status", header: t("column.status"), cell: (row) => <Status status={row.status} />, width: "8.5rem" },
    { id: "what", header: t("column.what"), cell: (row) => <WaitingFor execution={row} /> },
    { id: "revision", header: t("column.revision"), cell: (row) => row.revision, align: "end", width: "6rem", wideOnly: true },
    { id: "started", header: t("column.started"), cell: (row) => <Time at={row.createdDate} />, align: "end", width: "9rem" },
    {
      id: "changed",
      header: t("column.changed"),
      cell: (row) => <Time at={row.updatedDate} relative />,
      align: "end",
      width: "8rem",
      wideOnly: true,
    },
  ];
  return (
    <>
      <PageHeader
        title={t("title")}
        actions={<CurlButton calls={[{ text: t("title"), call: { path: "/workflows", query: { ...filters, limit: LIMIT } } }]} />}
      />
      <ExecutionFilters
        search={search}
        onChange={(next) => {
          setChosen(new Set());
          void navigate({ search: next, replace: true });
        }}
      />
      <Selected
        chosen={rows.filter((row) => chosen.has(row.id))}
        filters={filters}
        mayHaveMore={query.hasNextPage && rows.length > 0 && rows.every((row) => chosen.has(row.id))}
        onClear={() => setChosen(new Set())}
      />
      <List
        label={t("title")}
        query={query}
        columns={columns}
        keyOf={(row) => row.id}
        link={(row) => ({ to: "/executions/$executionId", params: { executionId: row.id } })}
        news={news}
        onNews={show}
        chosen={chosen}
        onChosen={setChosen}
        empty={
          filtered ? (
            <Empty icon={IconPlayerPlay} title={t("empty.filtered")}>
              <Button variant="default" onClick={() => void navigate({ search: {}, replace: true })}>
                {t("filter.clear")}
              </Button>
            </Empty>
          ) : (
            <Empty icon={IconPlayerPlay} title={t("empty.title")} text={t("empty.text")}>
              <Button component="a" href={DOCS.href}>
                {t("empty.docs")}
              </Button>
            </Empty>
          )
        }
      />
    </>
  );
}

/** Rows on the screen change in place; new ones are counted until they are asked for. */
function useNews(queryKey: readonly unknown[]): { news: number; show: () => void } {
  const queryClient = useQueryClient();
  const [started, setStarted] = useState<ReadonlySet<string>>(new Set());
  const hear = async ({ type, data }: LiveEvent) => {
    const id = typeof data["workflowId"] === "string" ? data["workflowId"] : "";
    if (type === "workflow.started" || !id) return setStarted((before) => new Set([...before, id]));
    const pages = queryClient.getQueryData<InfiniteData<Page<Execution>>>(queryKey);
    if (!pages?.pages.some((page) => page.data.some((row) => row.id === id))) return;
    const row = await got(api.GET("/workflows/{workflowId}", { params: { path: { workflowId: id } } }));
    if (!("name" in row)) return;
    queryClient.setQueryData<InfiniteData<Page<Execution>>>(queryKey, (old) =>
      old && {
        ...old,
        pages: old.pages.map((page) => ({ ...page, data: page.data.map((one) => (one.id === id ? row : one)) })),
      },
    );
  };
  useLive(EVENTS, (event) => void hear(event));
  const show = () => {
    setStarted(new Set());
    void queryClient.resetQueries({ queryKey });
  };
  return { news: started.size, show };
}
