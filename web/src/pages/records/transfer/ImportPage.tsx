import { Button, Checkbox, FileButton, Group, SegmentedControl, Select } from "@mantine/core";
import { IconDownload, IconFileUpload } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, got, type Schemas } from "@/api/client";
import { useMay } from "@/app/auth";
import { Allowed } from "@/components/Allowed";
import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { Notice } from "@/components/Notice";
import { PageHeader } from "@/components/PageHeader";
import { Section } from "@/components/Section";
import { tableQuery } from "../queries";
import { titleOf, type Table } from "../types";
import { columnsOf, likely, type Columns } from "./preview";
import { saveFile } from "./saveFile";
import css from "./Transfer.module.css";

type Report = Schemas["ImportReport"];

const route = getRouteApi("/records/$table/import");
const BEGINNING = 200_000;
const MOST_SHOWN = 200;

/** A file of rows becomes records: which column is which field, what would come of it, and then what came of it. */
export function ImportPage() {
  const { table: name } = route.useParams();
  const { data: table, error } = useQuery(tableQuery(name));
  if (error) return <Failure error={error} />;
  if (!table) return <Loading />;
  return <Import key={table.id} table={table} />;
}

interface Chosen {
  file: File;
  columns: Columns;
}

function Import({ table }: { table: Table }) {
  const { t, i18n } = useTranslation("transfer");
  const queryClient = useQueryClient();
  const canEdit = useMay("can_edit_data");
  const [chosen, setChosen] = useState<Chosen | undefined>();
  const [mapping, setMapping] = useState<Record<string, string | null>>({});
  const [mode, setMode] = useState<"create" | "upsert">("create");
  const unique = table.fields.filter((field) => field.unique || field.type === "idField");
  const [by, setBy] = useState<string | null>(unique[0]?.name ?? null);
  const [safe, setSafe] = useState(true);
  const send = useMutation({
    mutationFn: async (dryRun: boolean) => {
      if (!chosen) throw new Error(t("noFile"));
      const query = { mode, dryRun, ...(mode === "upsert" && by !== null && { by }), ...(chosen.columns.format === "csv" && { safe }), columns: JSON.stringify(mapping) };
      const report = await got(
        api.POST("/tables/{tableId}/import", {
          params: { path: { tableId: table.name }, query },
          body: chosen.file as never,
          bodySerializer: (body) => body,
          headers: { "Content-Type": chosen.columns.format === "csv" ? "text/csv" : "application/x-ndjson" },
        }),
      );
      if (!dryRun) await queryClient.invalidateQueries({ queryKey: ["records", table.name] });
      return report;
    },
  });
  const choose = async (file: File | null) => {
    if (!file) return;
    const columns = columnsOf(file.name, await file.slice(0, BEGINNING).text());
    setChosen({ file, columns });
    setMapping(Object.fromEntries(columns.names.filter((name) => name !== "").map((name) => [name, likely(name, table.fields)])));
    send.reset();
  };
  const title = titleOf(table, i18n.language);
  const used = Object.values(mapping).filter((field) => field !== null);
  const twice = used.find((field, place) => used.indexOf(field) !== place);
  const reason = used.length === 0 ? t("mapping.nothing") : twice ? t("mapping.twice", { field: twice }) : undefined;
  const report = send.data;
  return (
    <>
      <PageHeader
        title={t("import.title", { table: title })}
        above={
          <Link to="/records/$table" params={{ table: table.name }}>
            {title}
          </Link>
        }
        below={t("import.below")}
      />
      <div
        className={css.file}
        data-empty={!chosen || undefined}
        onDragOver={(event) => event.preventDefault()}
        onDrop={(event) => {
          event.preventDefault();
          if (canEdit) void choose(event.dataTransfer.files[0] ?? null);
        }}
      >
        <FileButton onChange={(file) => void choose(file)} accept=".csv,.tsv,.txt,.jsonl,.ndjson,text/csv,application/x-ndjson">
          {(props) => (
            <Allowed by="can_edit_data">
              <Button {...props} variant={chosen ? "default" : "filled"} leftSection={<IconFileUpload size={15} />}>
                {chosen ? t("import.another", { name: chosen.file.name }) : t("import.choose")}
              </Button>
            </Allowed>
          )}
        </FileButton>
        {!chosen && <span className="quiet">{t("import.drop")}</span>}
      </div>
      {chosen && (
        <>
          <Section title={t("mapping.title")}>
            <Mapping table={table} columns={chosen.columns} mapping={mapping} onChange={(next) => (setMapping(next), send.reset())} />
          </Section>
          <Section title={t("mode.title")}>
            <div className={css.options}>
              <SegmentedControl
                aria-label={t("mode.title")}
                value={mode}
                onChange={(value) => (setMode(value), send.reset())}
                data={[
                  { value: "create", label: t("mode.create") },
                  { value: "upsert", label: t("mode.upsert"), disabled: unique.length === 0 },
                ]}
              />
              {unique.length === 0 && <span className="quiet">{t("mode.noUnique")}</span>}
              {mode === "upsert" && (
                <Select label={t("mode.by")} data={unique.map((field) => ({ value: field.name, label: titleOf(field, i18n.language) }))} value={by} onChange={setBy} allowDeselect={false} />
              )}
              {chosen.columns.format === "csv" && <Checkbox size="xs" label={t("safe.label")} description={t("safe.hint")} checked={safe} onChange={(event) => setSafe(event.currentTarget.checked)} />}
            </div>
          </Section>
          <Group my="lg">
            <Allowed by="can_edit_data" reason={reason}>
              <Button variant={report?.dryRun ? "default" : "filled"} loading={send.isPending && send.variables} onClick={() => send.mutate(true)}>
                {t("try")}
              </Button>
            </Allowed>
            <Allowed by="can_edit_data" reason={reason ?? (report ? undefined : t("tryFirst"))}>
              <Button variant={report?.dryRun ? "filled" : "default"} loading={send.isPending && !send.variables} onClick={() => send.mutate(false)}>
                {t("import.do")}
              </Button>
            </Allowed>
          </Group>
        </>
      )}
      {send.error && <Failure error={send.error} />}
      {report && <ReportOf table={table} report={report} />}
    </>
  );
}

interface MappingProps {
  table: Table;
  columns: Columns;
  mapping: Record<string, string | null>;
  onChange: (mapping: Record<string, string | null>) => void;
}

function Mapping({ table, columns, mapping, onChange }: MappingProps) {
  const { t, i18n } = useTranslation("transfer");
  const fields = table.fields.map((field) => ({ value: field.name, label: titleOf(field, i18n.language) }));
  return (
    <div className={css.scroll} tabIndex={0} role="group" aria-label={t("mapping.title")}>
      <table className={css.table}>
        <thead>
          <tr>
            <th scope="col">{t("mapping.column")}</th>
            <th scope="col">{t("mapping.sample")}</th>
            <th scope="col">{t("mapping.field")}</th>
          </tr>
        </thead>
        <tbody>
          {columns.names.map((name, place) =>
            name === "" ? null : (
              <tr key={`${name} ${place}`}>
                <th scope="row">{name}</th>
                <td className="quiet">{columns.samples[place]?.filter((one) => one !== "").slice(0, 3).join(" · ")}</td>
                <td>
                  <Select
                    aria-label={t("mapping.fieldOf", { column: name })}
                    data={fields}
                    placeholder={t("mapping.leaveOut")}
                    value={mapping[name] ?? null}
                    onChange={(field) => onChange({ ...mapping, [name]: field })}
                    clearable
                    searchable
                  />
                </td>
              </tr>
            ),
          )}
        </tbody>
      </table>
    </div>
  );
}

function ReportOf({ table, report }: { table: Table; report: Report }) {
  const { t } = useTranslation("transfer");
  const numbers = { created: report.created, updated: report.updated, failed: report.failed };
  const save = () => {
    const quoted = (value: string | number | null) => `"${String(value ?? "").replaceAll('"', '""').replace(/^([=+\-@\t\r])/, "'$1")}"`;
    const lines = report.errors.map(({ line, field, code, message }) => [line, field, code, message].map(quoted).join(","));
    saveFile(`${table.name}-import.csv`, ["line,field,code,message", ...lines].join("\r\n"));
  };
  return (
    <Section
      title={report.dryRun ? t("report.would") : t("report.did")}
      actions={
        report.errors.length > 0 && (
          <Button variant="default" size="compact-sm" leftSection={<IconDownload size={14} />} onClick={save}>
            {t("report.save")}
          </Button>
        )
      }
    >
      <p role="status">{report.dryRun ? t("report.wouldBe", numbers) : t("report.were", numbers)}</p>
      {!report.complete && <Notice tone="bad" title={t("report.incomplete")} />}
      {report.errors.length > 0 && (
        <div className={css.scroll} tabIndex={0} role="group" aria-label={t("report.errors")}>
          <table className={css.table}>
            <thead>
              <tr>
                <th scope="col">{t("report.line")}</th>
                <th scope="col">{t("report.field")}</th>
                <th scope="col">{t("report.why")}</th>
              </tr>
            </thead>
            <tbody>
              {report.errors.slice(0, MOST_SHOWN).map(({ line, field, message }, place) => (
                <tr key={place}>
                  <td className="numbers">{line}</td>
                  <td>{field ?? "–"}</td>
                  <td>{message}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {report.errors.length > MOST_SHOWN && <p className="quiet">{t("report.more", { count: report.errors.length - MOST_SHOWN })}</p>}
        </div>
      )}
    </Section>
  );
}
