import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { useMay } from "@/app/auth";
import { Json } from "@/components/Json";
import { Section } from "@/components/Section";
import { Time } from "@/components/Time";
import css from "./Review.module.css";

const MOST = 20;

/** The record that the case is about, and its history. */
export function RecordCard({ table, recordId }: { table: string; recordId: string }) {
  const { t } = useTranslation("reviews");
  const may = useMay("can_read_data");
  const path = { tableId: table, recordId };
  const { data: record } = useQuery({
    queryKey: ["records", table, recordId],
    queryFn: () => got(api.GET("/tables/{tableId}/records/{recordId}", { params: { path } })),
    enabled: may,
  });
  const { data: history } = useQuery({
    queryKey: ["records", table, recordId, "history"],
    queryFn: () =>
      got(api.GET("/tables/{tableId}/records/{recordId}/history", { params: { path, query: { limit: MOST } } })),
    enabled: may,
  });
  if (!record) return null;
  return (
    <Section title={t("record", { table })}>
      <Json value={record} />
      {history && history.data.length > 0 && (
        <details className={css.check}>
          <summary>{t("history", { count: history.data.length })}</summary>
          <ul className={css.plain}>
            {history.data.map((change) => (
              <li key={change.version}>
                <span className="quiet">
                  <Time at={change.at} />
                </span>
                <Json value={change} level={1} />
              </li>
            ))}
          </ul>
        </details>
      )}
    </Section>
  );
}
