import { Badge, Button } from "@mantine/core";
import { IconDatabase, IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { Allowed } from "@/components/Allowed";
import { CurlButton } from "@/components/CurlButton";
import { Empty } from "@/components/Empty";
import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { PageHeader } from "@/components/PageHeader";
import { tablesQuery } from "./queries";
import { titleOf } from "./types";
import css from "./Records.module.css";

/** The workspace's tables. */
export function TablesPage() {
  const { t, i18n } = useTranslation("records");
  const navigate = useNavigate();
  const { data: tables, error, refetch } = useQuery(tablesQuery);
  return (
    <>
      <PageHeader title={t("title")} below={t("below")} actions={
          <>
            <CurlButton calls={[{ text: t("title"), call: { path: "/tables" } }]} />
            <Allowed by="can_manage_tables">
              <Button leftSection={<IconPlus size={15} />} onClick={() => void navigate({ to: "/new-table" })}>
                {t("newTable")}
              </Button>
            </Allowed>
          </>
        }
      />
      {error ? <Failure error={error} onRetry={() => void refetch()} /> : !tables && <Loading />}
      {tables?.length === 0 && <Empty icon={IconDatabase} title={t("noTable.title")} text={t("noTable.text")} />}
      <ul className={css.tables}>
        {tables?.map((table) => (
          <li key={table.id}>
            <Link to="/records/$table" params={{ table: table.name }} className={css.table}>
              <span className={css.tableName}>{titleOf(table, i18n.language)}</span>
              <span className="quiet mono">{table.name}</span>
              <span className="quiet">{t("fields", { count: table.fields.length })}</span>
              {table.builtIn && <Badge variant="default">{t("builtIn")}</Badge>}
            </Link>
          </li>
        ))}
      </ul>
    </>
  );
}
