import { Select } from "@mantine/core";
import { IconLink } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, got, type Schemas } from "@/api/client";
import { definitionChoiceQuery } from "@/components/definitions";
import { Empty } from "@/components/Empty";
import { LinkActions } from "@/components/LinkActions";
import { List, type Column, type Page } from "@/components/List";
import { localized } from "@/components/localized";
import { Tag } from "@/components/Status";
import { Time } from "@/components/Time";
import { useLive } from "@/live/useLive";
import { SendLink } from "./SendLink";
import css from "./Links.module.css";

type Link = Schemas["ListedLinkAnswer"];

const EVENTS = ["link.*"] as const;
const TONES = { FRESH: "busy", SPENT: "good", FINISHED: "good", EXPIRED: "quiet", SUPERSEDED: "quiet", DELETED: "quiet", CANCELLED: "quiet", UNKNOWN: "quiet" } as const;

/** Every link: who has it, who opened it when, and what came of sending it. */
export function LinkTable({ definition, onDefinition }: { definition: string | undefined; onDefinition: (id: string | null) => void }) {
  const { t, i18n } = useTranslation(["links", "common"]);
  const queryClient = useQueryClient();
  const { data: definitions } = useQuery(definitionChoiceQuery);
  const queryKey = ["links", "list", definition] as const;
  const query = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) =>
      got(
        api.GET("/link", {
          params: { query: { limit: 50, ...(definition && { workflowDefinitionId: definition }), ...(pageParam && { after: pageParam }) } },
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page: Page<Link>) => page.next ?? undefined,
  });
  useLive(EVENTS, () => void queryClient.invalidateQueries({ queryKey }));
  const nameOf = (id: string) => {
    const found = definitions?.data.find((one) => one.id === id);
    return found ? localized(found.title, i18n.language) || found.name : id.slice(0, 8);
  };
  const columns: Column<Link>[] = [
    { id: "who", header: t("column.who"), cell: (row) => row.email ?? <span className="quiet">{t("nobody")}</span> },
    { id: "what", header: t("column.what"), cell: (row) => nameOf(row.workflowDefinitionId), wideOnly: true },
    { id: "state", header: t("column.state"), cell: (row) => <Tag tone={TONES[row.state]} text={t(`state.${row.state}`)} />, width: "7rem" },
    { id: "mail", header: t("column.mail"), cell: (row) => <Sending link={row} />, width: "7rem", wideOnly: true },
    { id: "made", header: t("column.made"), cell: (row) => <Time at={row.createdDate} />, width: "5.5rem", wideOnly: true },
    { id: "opened", header: t("column.opened"), cell: (row) => <Moment at={row.openedDate} />, width: "5.5rem", wideOnly: true },
    { id: "begun", header: t("column.begun"), cell: (row) => <Moment at={row.activatedDate} />, width: "5.5rem", wideOnly: true },
    {
      id: "actions",
      header: t("column.actions"),
      cell: (row) => (
        <span className={css.buttons}>
          <LinkActions link={row} onSettled={() => queryClient.invalidateQueries({ queryKey })} />
        </span>
      ),
      align: "end",
      width: "14.5rem",
    },
  ];
  return (
    <>
      <Select
        aria-label={t("column.what")}
        placeholder={t("column.what")}
        className={css.filter}
        data={(definitions?.data ?? [])
          .filter((one) => one.executionType === "INTERACTIVE")
          .map((one) => ({ value: one.id, label: localized(one.title, i18n.language) || one.name }))}
        value={definition ?? null}
        onChange={onDefinition}
        searchable
        clearable
      />
      <List
        label={t("tab.links")}
        query={query}
        columns={columns}
        keyOf={(row) => row.linkId}
        link={(row) => ({ to: "/executions/$executionId", params: { executionId: row.workflowId } })}
        empty={
          <Empty icon={IconLink} title={t("empty.title")} text={t("empty.text")}>
            <SendLink />
          </Empty>
        }
      />
    </>
  );
}

function Moment({ at }: { at: string | null }) {
  return at ? <Time at={at} /> : <span className="quiet">–</span>;
}

function Sending({ link }: { link: Link }) {
  const { t } = useTranslation("links");
  if (!link.sending) return <span className="quiet">–</span>;
  const { status, error } = link.sending;
  return <Tag tone={status === "SENT" ? "good" : status === "FAILED" ? "bad" : "busy"} text={error ? `${t(`sending.${status}`)}: ${error}` : t(`sending.${status}`)} />;
}
