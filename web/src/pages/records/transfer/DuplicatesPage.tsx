import { Button, Group, Modal, Select } from "@mantine/core";
import { IconArrowsJoin, IconCopyCheck, IconPlus, IconX } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { Allowed } from "@/components/Allowed";
import { notifyDone } from "@/components/confirm";
import { Empty } from "@/components/Empty";
import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { PageHeader } from "@/components/PageHeader";
import { ActionIcon } from "@mantine/core";
import { FieldValue } from "../FieldValue";
import { isEmpty, same } from "../grid/cells";
import { tableQuery } from "../queries";
import { nameOf, titleOf, type Field, type Table, type TableRecord } from "../types";
import css from "./Transfer.module.css";

const route = getRouteApi("/records/$table/duplicates");
const NEAR = new Set(["text", "email", "idField", "assignee", "phone", "singleSelect"]);
const EXACT = new Set([...NEAR, "number", "integer", "date", "datetime", "relation", "checkbox"]);
const MOST_FIELDS = 5;

interface Criterion {
  field: string;
  match: "exact" | "near";
}

interface Pair {
  score: number;
  records: [TableRecord, TableRecord];
}

/** Pairs of records that may be one and the same, side by side, to be merged. */
export function DuplicatesPage() {
  const { table: name } = route.useParams();
  const { data: table, error } = useQuery(tableQuery(name));
  if (error) return <Failure error={error} />;
  if (!table) return <Loading />;
  return <Duplicates key={table.id} table={table} />;
}

function Duplicates({ table }: { table: Table }) {
  const { t, i18n } = useTranslation("transfer");
  const comparable = table.fields.filter(({ type }) => EXACT.has(type));
  const [criteria, setCriteria] = useState<Criterion[]>(comparable.slice(0, 1).map(({ name, type }) => ({ field: name, match: NEAR.has(type) ? "near" : "exact" })));
  const [merging, setMerging] = useState<Pair | undefined>();
  const find = useMutation({
    mutationFn: async (fields: Criterion[]) =>
      (await got(api.POST("/tables/{tableId}/duplicates", { params: { path: { tableId: table.name } }, body: { fields, limit: 100 } as never }))) as unknown as {
        data: Pair[];
        found: number;
        records: number;
      },
  });
  const set = (place: number, next: Criterion) => setCriteria(criteria.map((one, at) => (at === place ? next : one)));
  const free = comparable.find(({ name }) => !criteria.some(({ field }) => field === name));
  const title = titleOf(table, i18n.language);
  return (
    <>
      <PageHeader
        title={t("duplicates.title", { table: title })}
        above={
          <Link to="/records/$table" params={{ table: table.name }}>
            {title}
          </Link>
        }
        below={t("duplicates.below")}
      />
      {criteria.map((criterion, place) => {
        const known = comparable.find(({ name }) => name === criterion.field);
        return (
          <div key={place} className={css.by} role="group" aria-label={t("duplicates.criterion")}>
            <Select
              label={t("duplicates.field")}
              data={comparable.map((field) => ({ value: field.name, label: titleOf(field, i18n.language) }))}
              value={criterion.field}
              onChange={(field) => field && set(place, { field, match: NEAR.has(comparable.find(({ name }) => name === field)?.type ?? "") ? criterion.match : "exact" })}
              allowDeselect={false}
            />
            <Select
              label={t("duplicates.match")}
              data={[
                { value: "exact", label: t("duplicates.exact") },
                { value: "near", label: t("duplicates.near"), disabled: !NEAR.has(known?.type ?? "") },
              ]}
              value={criterion.match}
              onChange={(match) => match && set(place, { ...criterion, match: match })}
              allowDeselect={false}
            />
            {criteria.length > 1 && (
              <ActionIcon aria-label={t("duplicates.remove")} onClick={() => setCriteria(criteria.filter((_, at) => at !== place))}>
                <IconX size={15} />
              </ActionIcon>
            )}
          </div>
        );
      })}
      <Group mb="md">
        {free && criteria.length < MOST_FIELDS && (
          <Button variant="subtle" leftSection={<IconPlus size={15} />} onClick={() => setCriteria([...criteria, { field: free.name, match: "exact" }])}>
            {t("duplicates.add")}
          </Button>
        )}
        <Button loading={find.isPending} onClick={() => find.mutate(criteria)} disabled={criteria.length === 0}>
          {t("duplicates.find")}
        </Button>
      </Group>
      {find.error && <Failure error={find.error} />}
      {find.data && <p role="status">{t("duplicates.found", { count: find.data.found, records: find.data.records })}</p>}
      {find.data?.data.length === 0 && <Empty icon={IconCopyCheck} title={t("duplicates.none")} />}
      <ul className={css.pairs}>
        {find.data?.data.map((pair) => (
          <li key={pair.records.map(({ id }) => id).join(" ")} className={css.pair}>
            <div className={css.pairHead}>
              <span className="quiet">{t("duplicates.score", { score: Math.round(pair.score) })}</span>
              <Allowed by="can_edit_data">
                <Button size="compact-sm" leftSection={<IconArrowsJoin size={14} />} onClick={() => setMerging(pair)}>
                  {t("merge.open")}
                </Button>
              </Allowed>
            </div>
            <SideBySide table={table} pair={pair} />
          </li>
        ))}
      </ul>
      {merging && (
        <MergeDialog
          table={table}
          pair={merging}
          onClose={(merged) => {
            setMerging(undefined);
            if (merged) find.mutate(criteria);
          }}
        />
      )}
    </>
  );
}

function SideBySide({ table, pair: { records } }: { table: Table; pair: Pair }) {
  const { t, i18n } = useTranslation("transfer");
  const [one, other] = records;
  const shown = table.fields.filter((field) => !isEmpty(one[field.name]) || !isEmpty(other[field.name]));
  return (
    <div className={css.scroll} tabIndex={0} role="group" aria-label={t("duplicates.pair")}>
      <table className={css.table}>
        <thead>
          <tr>
            <th scope="col">{t("duplicates.field")}</th>
            {records.map((record) => (
              <th key={record.id} scope="col">
                <Link to="/records/$table/$recordId" params={{ table: table.name, recordId: record.id }}>
                  {nameOf(record, table.fields)}
                </Link>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((field) => (
            <tr key={field.name} className={same(one[field.name], other[field.name]) ? undefined : css.differs}>
              <th scope="row">{titleOf(field, i18n.language)}</th>
              {records.map((record) => (
                <td key={record.id}>
                  <FieldValue field={field} value={record[field.name]} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Which record stays, which value of each field; shown before it is done. */
function MergeDialog({ table, pair, onClose }: { table: Table; pair: Pair; onClose: (merged: boolean) => void }) {
  const { t, i18n } = useTranslation("transfer");
  const queryClient = useQueryClient();
  const [staying, setStaying] = useState(0);
  const [taken, setTaken] = useState<ReadonlySet<string>>(new Set());
  const target = pair.records[staying === 0 ? 0 : 1];
  const source = pair.records[staying === 0 ? 1 : 0];
  const differing = table.fields.filter((field) => !same(target[field.name], source[field.name]));
  const fromSource = (field: Field) => taken.has(field.name) || isEmpty(target[field.name]);
  const merge = useMutation({
    mutationFn: () =>
      got(
        api.POST("/tables/{tableId}/records/{recordId}/merge", {
          params: { path: { tableId: table.name, recordId: target.id } },
          headers: { "If-Match": `"${target.version}"` },
          body: { from: source.id, fields: [...taken] },
        }),
      ),
    onSuccess: async () => {
      notifyDone(t("merge.done"));
      await queryClient.invalidateQueries({ queryKey: ["records", table.name] });
      onClose(true);
    },
  });
  const pick = (field: Field, other: boolean) => {
    const next = new Set(taken);
    if (other) next.add(field.name);
    else next.delete(field.name);
    setTaken(next);
  };
  return (
    <Modal opened onClose={() => onClose(false)} title={t("merge.title")} size="60rem" closeButtonProps={{ "aria-label": t("close") }}>
      {merge.error && <Failure error={merge.error} />}
      <Select
        label={t("merge.staying")}
        description={t("merge.stayingHint")}
        data={pair.records.map((record, place) => ({ value: String(place), label: `${nameOf(record, table.fields)} · ${record.id.slice(-6)}` }))}
        value={String(staying)}
        onChange={(value) => {
          setStaying(Number(value));
          setTaken(new Set());
        }}
        allowDeselect={false}
        data-autofocus
        mb="sm"
      />
      <div className={css.scroll} tabIndex={0} role="group" aria-label={t("merge.table")}>
        <table className={css.table}>
          <thead>
            <tr>
              <th scope="col">{t("duplicates.field")}</th>
              <th scope="col">{t("merge.its")}</th>
              <th scope="col">{t("merge.others")}</th>
              <th scope="col">{t("merge.becomes")}</th>
            </tr>
          </thead>
          <tbody>
            {differing.map((field) => (
              <tr key={field.name}>
                <th scope="row">{titleOf(field, i18n.language)}</th>
                {[false, true].map((other) => (
                  <td key={String(other)}>
                    <label className={css.pick}>
                      <input
                        type="radio"
                        name={field.name}
                        checked={fromSource(field) === other}
                        disabled={isEmpty(target[field.name])}
                        onChange={() => pick(field, other)}
                      />
                      <FieldValue field={field} value={(other ? source : target)[field.name]} />
                    </label>
                  </td>
                ))}
                <td>
                  <FieldValue field={field} value={(fromSource(field) ? source : target)[field.name]} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {differing.length === 0 && <p>{t("merge.same")}</p>}
      <p className="quiet">{t("merge.along")}</p>
      <Group justify="flex-end">
        <Button variant="default" onClick={() => onClose(false)}>
          {t("merge.back")}
        </Button>
        <Button loading={merge.isPending} onClick={() => merge.mutate()}>
          {t("merge.do")}
        </Button>
      </Group>
    </Modal>
  );
}
