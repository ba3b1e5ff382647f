import { Alert, Button, Tabs } from "@mantine/core";
import { IconAlertTriangle, IconTrash } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { ApiError } from "@/api/errors";
import { Allowed } from "@/components/Allowed";
import { confirm, notifyDone, notifyFailed, notifyUndo } from "@/components/confirm";
import { CurlButton } from "@/components/CurlButton";
import { Failure } from "@/components/Failure";
import { Id } from "@/components/Id";
import { Loading } from "@/components/Loading";
import { PageHeader } from "@/components/PageHeader";
import { Time } from "@/components/Time";
import { useLive } from "@/live/useLive";
import { Attachments } from "./Attachments";
import { Comments } from "./Comments";
import { RecordExecutions } from "./RecordExecutions";
import { RecordForm } from "./RecordForm";
import { RecordHistory } from "./RecordHistory";
import { Related } from "./Related";
import { StartExecution } from "./StartExecution";
import { recordQuery, tableQuery, type Versioned } from "./queries";
import { nameOf, titleOf, type Table } from "./types";

const route = getRouteApi("/records/$table/$recordId");
const EVENTS = ["record.*"] as const;

/** One record: its fields, history, comments, files and executions. */
export function RecordPage() {
  const { table: name, recordId } = route.useParams();
  const table = useQuery(tableQuery(name));
  const found = useQuery(recordQuery(name, recordId));
  const error = table.error ?? found.error;
  if (error) return <Failure error={error} onRetry={() => void found.refetch()} />;
  if (!table.data || !found.data) return <Loading />;
  return <OneRecord key={recordId} table={table.data} found={found.data} />;
}

function OneRecord({ table, found: { record, etag } }: { table: Table; found: Versioned }) {
  const { t, i18n } = useTranslation("records");
  const navigate = route.useNavigate();
  const queryClient = useQueryClient();
  const [overtaken, setOvertaken] = useState(false);
  const [changedElsewhere, setChangedElsewhere] = useState(false);
  const path = { tableId: table.name, recordId: record.id };
  const refresh = () => queryClient.invalidateQueries({ queryKey: ["records", table.name] });
  useLive(EVENTS, ({ data }) => {
    if (data["recordId"] === record.id && data["version"] !== record.version) setChangedElsewhere(true);
  });
  const save = async (changes: Record<string, unknown>) => {
    try {
      await got(
        api.PATCH("/tables/{tableId}/records/{recordId}", {
          params: { path },
          headers: { "If-Match": etag },
          body: changes as never,
        }),
      );
    } catch (refused) {
      if (!(refused instanceof ApiError) || refused.status !== 412) throw refused;
      setOvertaken(true);
      await refresh();
      throw new Error(t("overtaken.error"), { cause: refused });
    }
    setOvertaken(false);
    setChangedElsewhere(false);
    notifyDone(t("saved"));
    await refresh();
  };
  const remove = async () => {
    const sure = await confirm({ title: t("delete.title"), text: t("delete.text"), action: t("delete.do"), dangerous: true });
    if (sure === undefined) return;
    try {
      await got(api.DELETE("/tables/{tableId}/records/{recordId}", { params: { path }, headers: { "If-Match": etag } }));
    } catch (error) {
      notifyFailed(error);
      return;
    }
    notifyUndo(t("delete.done"), t("delete.undo"), () => void restore());
    await navigate({ to: "/records/$table", params: { table: table.name } });
    await queryClient.invalidateQueries({ queryKey: ["records", table.name, "list"] });
  };
  const restore = async () => {
    try {
      await got(api.POST("/tables/{tableId}/records/{recordId}/restore", { params: { path } }));
      await queryClient.invalidateQueries({ queryKey: ["records", table.name, "list"] });
    } catch (error) {
      notifyFailed(error);
    }
  };
  return (
    <>
      <PageHeader
        title={nameOf(record, table.fields)}
        above={
          <Link to="/records/$table" params={{ table: table.name }}>
            {titleOf(table, i18n.language)}
          </Link>
        }
        below={
          <>
            <Id id={record.id} what={t("column.record")} />
            <span>{t("versioned", { version: record.version })}</span>
            <Time at={record.updatedAt} />
          </>
        }
        actions={
          <>
            <CurlButton calls={[{ text: t("column.record"), call: { path: `/tables/${table.name}/records/${record.id}` } }]} />
            <Allowed by="can_edit_data">
              <Button variant="default" leftSection={<IconTrash size={15} />} onClick={() => void remove()}>
                {t("delete.do")}
              </Button>
            </Allowed>
            <StartExecution table={table} recordId={record.id} />
          </>
        }
      />
      <Tabs defaultValue="fields" keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="fields">{t("tab.fields")}</Tabs.Tab>
          <Tabs.Tab value="related">{t("related.tab")}</Tabs.Tab>
          <Tabs.Tab value="executions">{t("tab.executions")}</Tabs.Tab>
          <Tabs.Tab value="attachments">{t("tab.attachments")}</Tabs.Tab>
          <Tabs.Tab value="comments">{t("tab.comments")}</Tabs.Tab>
          <Tabs.Tab value="history">{t("tab.history")}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="fields" pt="md" keepMounted>
          <RecordForm
            fields={table.fields}
            values={record}
            action={t("save")}
            save={save}
            of={{ table: table.name, recordId: record.id }}
            notice={
              (overtaken || changedElsewhere) && (
                <Alert role="status" mb="md" color="yellow" icon={<IconAlertTriangle size={18} />} title={t("overtaken.title")}>
                  {overtaken ? t("overtaken.text") : t("overtaken.elsewhere")}{" "}
                  {!overtaken && (
                    <Button variant="subtle" onClick={() => void refresh().then(() => setChangedElsewhere(false))}>
                      {t("overtaken.show")}
                    </Button>
                  )}
                </Alert>
              )
            }
          />
        </Tabs.Panel>
        <Tabs.Panel value="related" pt="md">
          <Related table={table} record={record} />
        </Tabs.Panel>
        <Tabs.Panel value="executions" pt="md">
          <RecordExecutions table={table.name} recordId={record.id} />
        </Tabs.Panel>
        <Tabs.Panel value="attachments" pt="md">
          <Attachments table={table.name} recordId={record.id} />
        </Tabs.Panel>
        <Tabs.Panel value="comments" pt="md">
          <Comments table={table.name} recordId={record.id} />
        </Tabs.Panel>
        <Tabs.Panel value="history" pt="md">
          <RecordHistory table={table} recordId={record.id} />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}
