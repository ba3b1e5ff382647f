import { ActionIcon, Button, Menu, SegmentedControl } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconCopyCheck, IconDots, IconPlus, IconTable, IconUpload } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { Allowed } from "@/components/Allowed";
import { CurlButton } from "@/components/CurlButton";
import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { PageHeader } from "@/components/PageHeader";
import { Columns } from "./Columns";
import { RecordFilters } from "./RecordFilters";
import { RecordsGrid } from "./RecordsGrid";
import { tableQuery } from "./queries";
import { asBody, KINDS, type RecordsSearch } from "./search";
import { ExportMenu } from "./transfer/ExportMenu";
import { titleOf, type Table } from "./types";
import { isBuilding, useIndexMade } from "./Unindexed";
import { Board } from "./views/Board";
import { Gallery } from "./views/Gallery";
import { ViewMenu } from "./views/ViewMenu";
import css from "./Records.module.css";

const route = getRouteApi("/records/$table");
/** Milliseconds between two looks at an index that is being made. */
const LOOK_AGAIN = 1_500;

/** The records of a table. */
export function RecordsPage() {
  const { table: name } = route.useParams();
  const { data: table, error, refetch } = useQuery({ ...tableQuery(name), refetchInterval: ({ state }) => isBuilding(state.data) && LOOK_AGAIN });
  useIndexMade(table);
  if (error) return <Failure error={error} onRetry={() => void refetch()} />;
  if (!table) return <Loading />;
  return <Records key={table.id} table={table} />;
}

function Records({ table }: { table: Table }) {
  const { t, i18n } = useTranslation("records");
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const body = asBody(search, table.fields);
  // A spreadsheet is of no use on a phone: cards are.
  const isNarrow = useMediaQuery("(max-width: 30em)", false, { getInitialValueInEffect: false });
  const kind = search.kind ?? (isNarrow ? "gallery" : "grid");
  const set = (next: RecordsSearch) => void navigate({ search: next, replace: true });
  return (
    <div className={css.page}>
      <PageHeader
        title={titleOf(table, i18n.language)}
        above={<Link to="/records">{t("title")}</Link>}
        actions={
          <>
            <CurlButton calls={[{ text: t("search"), call: { method: "POST", path: `/tables/${table.name}/records/search`, body } }]} />
            <TableMenu table={table} />
            <ExportMenu table={table} search={search} />
            <Allowed by="can_edit_data">
              <Button variant="default" leftSection={<IconUpload size={15} />} onClick={() => void navigate({ to: "/records/$table/import", params: { table: table.name } })}>
                {t("import")}
              </Button>
            </Allowed>
            <Allowed by="can_edit_data">
              <Button leftSection={<IconPlus size={15} />} onClick={() => void navigate({ to: "/records/$table/new", params: { table: table.name } })}>
                {t("new")}
              </Button>
            </Allowed>
          </>
        }
      />
      <RecordFilters
        fields={table.fields}
        search={search}
        onChange={set}
        before={
          <>
            <ViewMenu page={`/records/${table.name}`} search={search} onSearch={set} />
            <SegmentedControl
              aria-label={t("kind.name")}
              data={KINDS.map((value) => ({ value, label: t(`kind.${value}`) }))}
              value={kind}
              onChange={(value) => set({ ...search, kind: value })}
            />
          </>
        }
      >
        {kind === "grid" && <Columns table={table} search={search} onChange={set} />}
      </RecordFilters>
      {kind === "grid" && <RecordsGrid table={table} search={search} onSearch={set} />}
      {kind === "board" && <Board table={table} search={search} onSearch={set} />}
      {kind === "gallery" && <Gallery table={table} search={search} onSearch={set} />}
    </div>
  );
}

/** What is done to the whole table. */
function TableMenu({ table }: { table: Table }) {
  const { t } = useTranslation("records");
  const navigate = route.useNavigate();
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="default" size={30} aria-label={t("more")}>
          <IconDots size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconCopyCheck size={15} />} onClick={() => void navigate({ to: "/records/$table/duplicates", params: { table: table.name } })}>
          {t("duplicates")}
        </Menu.Item>
        <Menu.Item leftSection={<IconTable size={15} />} onClick={() => void navigate({ to: "/records/$table/settings", params: { table: table.name } })}>
          {t("tableFields")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
