import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { useMay } from "@/app/auth";
import { Section } from "@/components/Section";
import { FieldValue } from "../records/FieldValue";
import { recordQuery, tableQuery } from "../records/queries";
import { RecordHistory } from "../records/RecordHistory";
import { nameOf, titleOf } from "../records/types";
import css from "./Review.module.css";

/** The record that the case is about, and its history. */
export function RecordCard({ table: name, recordId }: { table: string; recordId: string }) {
  const { t, i18n } = useTranslation(["reviews", "records"]);
  const may = useMay("can_read_data");
  const { data: table } = useQuery({ ...tableQuery(name), enabled: may });
  const { data } = useQuery({ ...recordQuery(name, recordId), enabled: may });
  if (!table || !data) return null;
  const { record } = data;
  return (
    <Section
      title={t("record", { table: titleOf(table, i18n.language) })}
      actions={
        <Link to="/records/$table/$recordId" params={{ table: name, recordId }}>
          {nameOf(record, table.fields)}
        </Link>
      }
    >
      <dl className={css.facts}>
        {table.fields.map((field) => (
          <div key={field.name}>
            <dt>{titleOf(field, i18n.language)}</dt>
            <dd>
              <FieldValue field={field} value={record[field.name]} />
            </dd>
          </div>
        ))}
      </dl>
      <details className={css.check}>
        <summary>{t("history", { count: record.version })}</summary>
        <RecordHistory table={table} recordId={recordId} />
      </details>
    </Section>
  );
}
