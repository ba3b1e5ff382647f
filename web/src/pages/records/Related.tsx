import { useQueries, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { Loading } from "@/components/Loading";
import { Section } from "@/components/Section";
import { recordQuery, tablesQuery } from "./queries";
import { nameOf, titleOf, type Field, type Table, type TableRecord } from "./types";
import css from "./Records.module.css";

const SHOWN = 10;
const MOST_TABLES = 20;

/** The records that a record points to, and those that point to it. */
export function Related({ table, record }: { table: Table; record: TableRecord }) {
  const { t, i18n } = useTranslation("records");
  const { data: tables } = useQuery(tablesQuery);
  const pointing = (tables ?? []).flatMap((other) => other.fields.filter((field) => field.table === table.name).map((field) => ({ other, field }))).slice(0, MOST_TABLES);
  const found = useQueries({
    queries: pointing.map(({ other, field }) => ({
      queryKey: ["records", other.name, "pointing", field.name, record.id],
      queryFn: () =>
        got(
          api.POST("/tables/{tableId}/records/search", {
            params: { path: { tableId: other.name } },
            body: { filter: { field: field.name, op: "eq", value: record.id }, limit: SHOWN },
          }),
        ),
      // An unindexed relation of a very large table may take too long to follow: the rest is shown all the same.
      retry: false,
    })),
  });
  if (!tables || found.some(({ isPending }) => isPending)) return <Loading />;
  const own = table.fields.filter((field) => field.type === "relation" && typeof record[field.name] === "string");
  const others = pointing.flatMap(({ other, field }, place) => {
    const page = found[place]?.data;
    return page && page.data.length > 0 ? [{ other, field, page }] : [];
  });
  if (own.length + others.length === 0) return <p className="quiet">{t("related.none")}</p>;
  return (
    <div className={css.narrow}>
      {own.map((field) => (
        <Section key={field.name} title={titleOf(field, i18n.language)}>
          <Pointed tables={tables} field={field} id={record[field.name] as string} />
        </Section>
      ))}
      {others.map(({ other, field, page }) => (
        <Section key={`${other.id} ${field.name}`} title={t("related.from", { table: titleOf(other, i18n.language), field: titleOf(field, i18n.language) })}>
          <ul className={css.lines}>
            {page.data.map((one) => (
              <li key={one.id}>
                <Link to="/records/$table/$recordId" params={{ table: other.name, recordId: one.id }}>
                  {nameOf(one, other.fields)}
                </Link>
              </li>
            ))}
          </ul>
          {page.next && (
            <Link to="/records/$table" params={{ table: other.name }} search={{ where: [{ field: field.name, op: "eq", value: record.id }] }}>
              {t("related.more")}
            </Link>
          )}
        </Section>
      ))}
    </div>
  );
}

function Pointed({ tables, field, id }: { tables: readonly Table[]; field: Field; id: string }) {
  const target = tables.find(({ name }) => name === field.table);
  const { data } = useQuery({ ...recordQuery(field.table ?? "", id), enabled: target !== undefined, retry: false });
  if (!target) return <code>{id}</code>;
  return (
    <Link to="/records/$table/$recordId" params={{ table: target.name, recordId: id }}>
      {data ? nameOf(data.record, target.fields) : id.slice(0, 8)}
    </Link>
  );
}
