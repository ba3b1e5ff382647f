import { Button, SegmentedControl, Select } from "@mantine/core";
import { IconArrowRight, IconChecklist } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { useMe } from "@/app/auth";
import { useShortcuts } from "@/app/keyboard";
import { definitionChoiceQuery } from "@/components/definitions";
import { Empty } from "@/components/Empty";
import { List, type Column, type Page } from "@/components/List";
import { localized } from "@/components/localized";
import { PageHeader } from "@/components/PageHeader";
import { Time } from "@/components/Time";
import { useLive } from "@/live/useLive";
import { Due } from "./Due";
import type { Review } from "./queries";
import { reviewFilters, WHOSE, type ReviewSearch, type Whose } from "./search";
import css from "./Review.module.css";

const route = getRouteApi("/reviews");
const REQUESTED = ["review.requested"] as const;
const CHANGED = ["review.assigned", "review.decided", "review.returned", "review.voted"] as const;
const LIMIT = 50;

/** What waits for a decision. */
export function ReviewsPage() {
  const { t, i18n } = useTranslation("reviews");
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const queryClient = useQueryClient();
  const me = useMe();
  const { data: definitions } = useQuery(definitionChoiceQuery);
  const [news, setNews] = useState(0);
  const queryKey = ["reviews", "list", search] as const;
  const query = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) =>
      got(
        api.GET("/reviews", {
          params: { query: { ...reviewFilters(search, me.id), limit: LIMIT, ...(pageParam && { after: pageParam }) } },
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page: Page<Review>) => page.next ?? undefined,
    refetchOnWindowFocus: false,
  });
  useLive(REQUESTED, () => setNews((before) => before + 1));
  useLive(CHANGED, () => void queryClient.invalidateQueries({ queryKey }));
  const show = (next: ReviewSearch) => void navigate({ search: next, replace: true });
  const showWhose = (whose: Whose) => {
    show({ ...(search.definition && { definition: search.definition }), ...(whose !== "mine" && { whose }) });
  };
  useShortcuts(t("title"), [
    { keys: "m", text: t("key.taken"), run: () => showWhose(search.whose === "taken" ? "mine" : "taken") },
  ]);
  const first = query.data?.pages[0]?.data[0];
  const columns: Column<Review>[] = [
    { id: "title", header: t("column.title"), cell: (row) => localized(row.title, i18n.language) || row.step },
    { id: "definition", header: t("column.definition"), cell: (row) => <span className="quiet">{row.name}</span> },
    { id: "assigned", header: t("column.assigned"), cell: (row) => row.assignTo ?? t("anybody"), width: "9rem", wideOnly: true },
    {
      id: "taken",
      header: t("column.taken"),
      cell: (row) => (row.takenBy ? (row.takenBy.id === me.id ? t("take.me") : row.takenBy.name) : <span className="quiet">–</span>),
      width: "10rem",
      wideOnly: true,
    },
    { id: "due", header: t("column.due"), cell: (row) => <Due review={row} />, width: "9rem" },
    { id: "asked", header: t("column.asked"), cell: (row) => <Time at={row.requestedAt} />, align: "end", width: "8rem", wideOnly: true },
  ];
  return (
    <>
      <PageHeader
        title={t("title")}
        below={
          <>
            {t("below")} <span className="by-keyboard">{t("belowKeys")}</span>
          </>
        }
        actions={
          first && (
            <Button
              onClick={() =>
                void navigate({ to: "/reviews/$workflowId/$step", params: { workflowId: first.workflowId, step: first.step }, search })
              }
              rightSection={<IconArrowRight size={15} />}
            >
              {t("begin")}
            </Button>
          )
        }
      />
      <div className={css.filters} role="search" aria-label={t("filter.name")}>
        <SegmentedControl
          aria-label={t("filter.whose")}
          value={search.whose ?? "mine"}
          onChange={(value) => showWhose(value)}
          data={WHOSE.map((value) => ({ value, label: t(`filter.${value}`) }))}
        />
        <Select
          aria-label={t("column.definition")}
          placeholder={t("column.definition")}
          data={(definitions?.data ?? []).map((one) => ({ value: one.id, label: localized(one.title, i18n.language) || one.name }))}
          value={search.definition ?? null}
          onChange={(value) => show({ ...(search.whose && { whose: search.whose }), ...(value && { definition: value }) })}
          searchable
          clearable
        />
      </div>
      <List
        label={t("title")}
        query={query}
        columns={columns}
        keyOf={(row) => `${row.workflowId} ${row.step}`}
        link={(row) => ({ to: "/reviews/$workflowId/$step", params: { workflowId: row.workflowId, step: row.step }, search })}
        news={news}
        onNews={() => {
          setNews(0);
          void queryClient.resetQueries({ queryKey });
        }}
        empty={
          <Empty icon={IconChecklist} title={search.whose || search.definition ? t("empty.filtered") : t("empty.title")} text={t("empty.text")}>
            {(search.whose || search.definition) && (
              <Button variant="default" onClick={() => show({})}>
                {t("empty.clear")}
              </Button>
            )}
          </Empty>
        }
      />
    </>
  );
}
