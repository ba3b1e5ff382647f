import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { Time } from "@/components/Time";
import { FieldValue } from "./FieldValue";
import { historyQuery } from "./queries";
import { titleOf, type Table } from "./types";
import css from "./Records.module.css";

/** Who changed what of a record, when, and by which execution. */
export function RecordHistory({ table, recordId }: { table: Table; recordId: string }) {
  const { t, i18n } = useTranslation("records");
  const { data, error } = useQuery(historyQuery(table.name, recordId));
  if (error) return <Failure error={error} />;
  if (!data) return <Loading />;
  return (
    <ol className={css.lines} reversed>
      {data.data.map((one) => (
        <li key={`${one.recordId} ${one.version}`}>
          <div className="quiet">
            <Time at={one.at} /> · {one.by} · {t("history.did", { action: one.action })}
            {one.executionId && (
              <>
                {" · "}
                <Link to="/executions/$executionId" params={{ executionId: one.executionId }}>
                  {t("history.execution")}
                </Link>
              </>
            )}
          </div>
          <dl className={css.changes}>
            {one.changes.map((change) => {
              const field = table.fields.find((known) => known.name === change.field) ?? { name: change.field, type: "text" };
              return (
                <div key={change.field}>
                  <dt>{titleOf(field, i18n.language)}</dt>
                  <dd>
                    <del>
                      <FieldValue field={field} value={change.old} />
                    </del>{" "}
                    <span aria-label={t("history.became")}>→</span>{" "}
                    <ins>
                      <FieldValue field={field} value={change.new} />
                    </ins>
                  </dd>
                </div>
              );
            })}
          </dl>
        </li>
      ))}
    </ol>
  );
}
