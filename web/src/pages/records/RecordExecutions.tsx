import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { Status } from "@/components/Status";
import { Time } from "@/components/Time";
import { executionsQuery } from "./queries";
import css from "./Records.module.css";

/** The executions that concern a record, newest first. */
export function RecordExecutions({ table, recordId }: { table: string; recordId: string }) {
  const { t } = useTranslation("records");
  const { data, error } = useQuery(executionsQuery(table, recordId));
  if (error) return <Failure error={error} />;
  if (!data) return <Loading />;
  if (data.data.length === 0) return <p className="quiet">{t("executions.none")}</p>;
  return (
    <ul className={css.lines}>
      {data.data.map((one) => (
        <li key={one.id} className={css.execution}>
          <Link to="/executions/$executionId" params={{ executionId: one.id }}>
            {one.name}
          </Link>
          <Status status={one.status as never} />
          <Time at={one.createdDate} />
        </li>
      ))}
    </ul>
  );
}
