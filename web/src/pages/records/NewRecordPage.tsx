import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, got, idempotencyKey } from "@/api/client";
import { ApiError } from "@/api/errors";
import { notifyDone } from "@/components/confirm";
import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { PageHeader } from "@/components/PageHeader";
import { RecordForm } from "./RecordForm";
import { tableQuery } from "./queries";
import { titleOf, type TableRecord } from "./types";

const route = getRouteApi("/records/$table/new");

/** A new record of a table. */
export function NewRecordPage() {
  const { t, i18n } = useTranslation("records");
  const { table: name } = route.useParams();
  const navigate = route.useNavigate();
  const queryClient = useQueryClient();
  // Sent again after a lost answer, it is the same record.
  const [key, setKey] = useState(idempotencyKey);
  const { data: table, error } = useQuery(tableQuery(name));
  if (error) return <Failure error={error} />;
  if (!table) return <Loading />;
  const save = async (values: Record<string, unknown>) => {
    const record = await create(table.name, values, key).catch((refused: unknown) => {
      // What was refused is sent otherwise the next time; a key stands for one body.
      if (refused instanceof ApiError) setKey(idempotencyKey());
      throw refused;
    });
    notifyDone(t("saved"));
    await queryClient.invalidateQueries({ queryKey: ["records", table.name, "list"] });
    await navigate({ to: "/records/$table/$recordId", params: { table: table.name, recordId: record.id } });
  };
  return (
    <>
      <PageHeader
        title={t("newTitle", { table: titleOf(table, i18n.language) })}
        above={
          <Link to="/records/$table" params={{ table: table.name }}>
            {titleOf(table, i18n.language)}
          </Link>
        }
      />
      <RecordForm fields={table.fields} values={{}} action={t("create")} save={save} />
    </>
  );
}

async function create(table: string, values: Record<string, unknown>, key: string): Promise<TableRecord> {
  const made = await got(
    api.POST("/tables/{tableId}/records", {
      params: { path: { tableId: table }, header: { "Idempotency-Key": key } },
      body: values as never,
    }),
  );
  return made;
}
