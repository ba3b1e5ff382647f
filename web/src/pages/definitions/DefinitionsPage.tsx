import { Button } from "@mantine/core";
import { IconGitBranch, IconPlus } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { api, got, type Schemas } from "@/api/client";
import { Allowed } from "@/components/Allowed";
import { CurlButton } from "@/components/CurlButton";
import { Empty } from "@/components/Empty";
import { List, type Column, type Page } from "@/components/List";
import { localized } from "@/components/localized";
import { PageHeader } from "@/components/PageHeader";
import { Drafts } from "../builder/Drafts";
import { Beginnings } from "../templates/Beginnings";
import { WaitingProposals } from "./Proposals";

type Definition = Schemas["DefinitionAnswer"];

/** The workspace's definitions. */
export function DefinitionsPage() {
  const { t, i18n } = useTranslation("definitions");
  const query = useInfiniteQuery({
    queryKey: ["definitions", "list"],
    queryFn: ({ pageParam }) =>
      got(api.GET("/definitions", { params: { query: { limit: 50, ...(pageParam && { after: pageParam }) } } })),
    initialPageParam: "",
    getNextPageParam: (page: Page<Definition>) => page.next ?? undefined,
  });
  const columns: Column<Definition>[] = [
    { id: "title", header: t("column.title"), cell: (row) => localized(row.title, i18n.language) || row.name },
    { id: "name", header: t("column.name"), cell: (row) => <span className="mono">{row.name}</span>, wideOnly: true },
    { id: "type", header: t("column.type"), cell: (row) => t(row.executionType === "INTERACTIVE" ? "interactive" : "background"), wideOnly: true },
    { id: "state", header: t("column.state"), cell: (row) => t(row.published ? "published" : "draft") },
    { id: "revision", header: t("column.revision"), cell: (row) => row.revision, align: "end", width: "7rem", wideOnly: true },
  ];
  return (
    <>
      <PageHeader
        title={t("title")}
        below={t("below")}
        actions={
          <>
            <Beginnings />
            <CurlButton calls={[{ text: t("title"), call: { path: "/definitions" } }]} />
            <Allowed by="can_manage_definitions">
              <Button component={Link} to="/definitions/new" leftSection={<IconPlus size={15} />}>
                {t("build")}
              </Button>
            </Allowed>
          </>
        }
      />
      <WaitingProposals />
      <Drafts />
      <List
        label={t("title")}
        query={query}
        columns={columns}
        keyOf={(row) => row.id}
        link={(row) => ({ to: "/definitions/$definitionId", params: { definitionId: row.id } })}
        empty={<Empty icon={IconGitBranch} title={t("empty.title")} text={t("empty.text")} />}
      />
    </>
  );
}
