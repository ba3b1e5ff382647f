import { Button, Modal, Select } from "@mantine/core";
import { IconPencil, IconTrash, IconX } from "@tabler/icons-react";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { Allowed } from "@/components/Allowed";
import { Failure } from "@/components/Failure";
import type { Page } from "@/components/List";
import { FieldInput } from "../FieldInput";
import { asValue } from "../typed";
import { titleOf, type Field, type Table, type TableRecord } from "../types";
import { same } from "./cells";
import type { PlannedRow } from "./plan";
import type { Rows } from "./rows";
import { SLICE } from "./sending";
import css from "./Bulk.module.css";

/** Records that one bulk change takes: more are an import. */
export const MOST_AT_ONCE = 20_000;

interface Props {
  table: Table;
  rows: Rows;
  selected: ReadonlySet<string>;
  isAll: boolean;
  onClear: () => void;
  onPlan: (title: string, plan: PlannedRow[]) => void;
}

/** What can be done with the records that are selected. */
export function BulkBar({ table, rows, selected, isAll, onClear, onPlan }: Props) {
  const { t } = useTranslation("grid");
  const [doing, setDoing] = useState<"set" | "collecting" | undefined>();
  const [failure, setFailure] = useState<unknown>();
  const count = isAll ? rows.total.count : selected.size;
  const tooMany = count > MOST_AT_ONCE || (isAll && !rows.total.exact) ? t("bulk.tooMany", { most: MOST_AT_ONCE }) : undefined;
  const planned = async (title: string, each: (record: TableRecord) => PlannedRow | undefined) => {
    setDoing("collecting");
    setFailure(undefined);
    try {
      const records = isAll ? await allOf(rows) : await chosenOf(table, rows, selected);
      onPlan(title, records.flatMap((record) => each(record) ?? []));
    } catch (broken) {
      setFailure(broken);
    } finally {
      setDoing(undefined);
    }
  };
  const remove = () => void planned(t("bulk.deleteTitle", { count }), (record) => ({ record, cells: [], deletes: true }));
  const set = (field: Field, value: unknown) =>
    void planned(t("bulk.setTitle", { count }), (record) => {
      const before = record[field.name];
      return same(before, value) ? undefined : { record, cells: [{ field, text: "", before, after: value }] };
    });
  return (
    <div className={css.bar} role="region" aria-label={t("bulk.name")}>
      <span role="status" className="numbers">
        {t("bulk.selected", { count })}
      </span>
      <Allowed by="can_edit_data" reason={tooMany}>
        <Button size="compact-sm" variant="default" leftSection={<IconPencil size={14} />} onClick={() => setDoing("set")} loading={doing === "collecting"}>
          {t("bulk.set")}
        </Button>
      </Allowed>
      <Allowed by="can_edit_data" reason={tooMany}>
        <Button size="compact-sm" variant="default" leftSection={<IconTrash size={14} />} onClick={remove} loading={doing === "collecting"}>
          {t("bulk.delete")}
        </Button>
      </Allowed>
      <Button size="compact-sm" variant="subtle" leftSection={<IconX size={14} />} onClick={onClear}>
        {t("bulk.clear")}
      </Button>
      {failure !== undefined && <Failure error={failure} />}
      {doing === "set" && <SetDialog table={table} count={count} onClose={() => setDoing(undefined)} onSet={set} />}
    </div>
  );
}

function SetDialog({ table, count, onClose, onSet }: { table: Table; count: number; onClose: () => void; onSet: (field: Field, value: unknown) => void }) {
  const { t, i18n } = useTranslation("grid");
  const settable = table.fields.filter(({ type, unique }) => type !== "attachment" && !unique);
  const [name, setName] = useState<string | null>(settable[0]?.name ?? null);
  const [value, setValue] = useState<unknown>(null);
  const field = settable.find((one) => one.name === name);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (field) onSet(field, asValue(field, value));
  };
  return (
    <Modal opened onClose={onClose} title={t("bulk.setTitle", { count })} closeButtonProps={{ "aria-label": t("close") }}>
      <form onSubmit={submit} className={css.form}>
        <Select
          label={t("bulk.field")}
          data={settable.map((one) => ({ value: one.name, label: titleOf(one, i18n.language) }))}
          value={name}
          onChange={(next) => {
            setName(next);
            setValue(null);
          }}
          allowDeselect={false}
          searchable
          data-autofocus
        />
        {field && <FieldInput key={field.name} field={{ ...field, title: t("bulk.value"), required: false }} value={value} onChange={setValue} />}
        <p className="quiet">{t("bulk.empty")}</p>
        <Button type="submit" disabled={!field}>
          {t("bulk.preview")}
        </Button>
      </form>
    </Modal>
  );
}

/** Every record of the list, as far as one change takes them. */
async function allOf(rows: Rows): Promise<TableRecord[]> {
  const found: TableRecord[] = [];
  let after: string | undefined;
  while (found.length < MOST_AT_ONCE) {
    const page = (await got(
      api.POST("/tables/{tableId}/records/search", {
        params: { path: { tableId: rows.table } },
        body: { ...rows.search, limit: SLICE, ...(after && { after }) } as never,
      }),
    )) as unknown as Page<TableRecord>;
    found.push(...page.data);
    if (!page.next) break;
    after = page.next;
  }
  return found;
}

/** The records with these ids; those that are on no page at hand are read one by one. */
async function chosenOf(table: Table, rows: Rows, ids: ReadonlySet<string>): Promise<TableRecord[]> {
  const found: TableRecord[] = [];
  for (const id of ids) {
    const here = rows.find(id);
    if (here) found.push(here);
    else found.push(await got(api.GET("/tables/{tableId}/records/{recordId}", { params: { path: { tableId: table.name, recordId: id } } })));
  }
  return found;
}
