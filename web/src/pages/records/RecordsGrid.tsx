import { IconDatabase } from "@tabler/icons-react";
import { useBlocker } from "@tanstack/react-router";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "@/api/client";
import { useMay, useMe } from "@/app/auth";
import { confirm, notifyDone, notifyFailed } from "@/components/confirm";
import { Empty } from "@/components/Empty";
import { notifications } from "@mantine/notifications";
import { MISSED } from "@/live/stream";
import { useLive } from "@/live/useLive";
import { BulkBar } from "./grid/BulkBar";
import { Looks } from "./grid/cells";
import { Grid, type Pasted } from "./grid/Grid";
import { GridFoot } from "./grid/GridFoot";
import type { HeaderActions } from "./grid/GridHeader";
import { columnsOf, keepLayout, keptLayout, reordered, type GridColumn } from "./grid/layout";
import { PlanDialog } from "./grid/PlanDialog";
import { planPaste, sizeOfPaste, type PlannedRow } from "./grid/plan";
import type { Rows } from "./grid/rows";
import { useRecords } from "./grid/useGrid";
import { asBody, isNarrowed, operatorsOf, type RecordsSearch } from "./search";
import { titleOf, type Table, type TableRecord } from "./types";
import { SearchFailure, Unindexed } from "./Unindexed";
import css from "./Records.module.css";

const EVENTS = ["record.*"] as const;
const MOST_INCLUDED = 10;
const MOST_PASTED = 5_000;

/** Reads the list anew where another page has changed its records, or where the connection or the session is back. */
function useAskedAgain(table: string, rows: Rows): void {
  const { dataUpdatedAt } = useQuery({ queryKey: ["records", table, "list", "asked"], queryFn: () => Promise.resolve(true), staleTime: Infinity, networkMode: "always" });
  const before = useRef(0);
  useEffect(() => {
    if (before.current > 0 && dataUpdatedAt > before.current) rows.reload();
    before.current = dataUpdatedAt;
  }, [dataUpdatedAt, rows]);
}

interface Props {
  table: Table;
  search: RecordsSearch;
  onSearch: (search: RecordsSearch) => void;
}

interface CellPlace {
  id: string;
  field: string;
}

/** The records as a spreadsheet that others write into at the same time. */
export function RecordsGrid({ table, search, onSearch }: Props) {
  const { t, i18n } = useTranslation(["grid", "records"]);
  const canEdit = useMay("can_edit_data");
  const { timeZone } = useMe();
  const looks = useMemo(() => new Looks(i18n.language, timeZone, t("yes"), t("no"), (count) => t("files", { count })), [i18n.language, timeZone, t]);
  const layout = useMemo(
    () => (search.columns || search.widths ? { ...(search.columns && { columns: search.columns }), ...(search.widths && { widths: search.widths }) } : keptLayout(table)),
    [search.columns, search.widths, table],
  );
  const columns = useMemo(() => columnsOf(table.fields, layout), [table, layout]);
  const include = columns.filter(({ field }) => field.type === "relation").map(({ field }) => field.name).slice(0, MOST_INCLUDED);
  const { rows, edits } = useRecords(table.name, { ...asBody(search, table.fields), ...(include.length > 0 && { include }) });
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [isAll, setAll] = useState(false);
  const [plan, setPlan] = useState<{ title: string; rows: PlannedRow[] } | undefined>();
  const [active, setActive] = useState<CellPlace | undefined>();
  const [goTo, setGoTo] = useState<CellPlace | undefined>();
  const [news, setNews] = useState(0);

  useLive(EVENTS, ({ type, data }) => {
    if (type === MISSED) return rows.reload();
    if (data["tableId"] !== table.id) return;
    const id = String(data["recordId"]);
    const here = rows.find(id);
    if (type === "record.created") setNews((before) => (here ? before : before + 1));
    else if (type === "record.deleted") rows.remove(id);
    else if (here && here.version < Number(data["version"])) void api.GET("/tables/{tableId}/records/{recordId}", { params: { path: { tableId: table.name, recordId: id } } }).then(({ data: record }) => edits.heard(record as unknown as TableRecord), () => undefined);
  });
  useAskedAgain(table.name, rows);
  const { waiting, sending, refused, conflict } = edits.counts;
  const isUnsaved = waiting + sending + refused + conflict > 0;
  useBlocker({
    shouldBlockFn: async ({ current, next }) => {
      if (!isUnsaved || current.pathname === next.pathname || !(await edits.isUnsaved())) return false;
      return (await confirm({ title: t("leave.title"), text: t("leave.text"), action: t("leave.do"), dangerous: true })) === undefined;
    },
    enableBeforeUnload: () => isUnsaved,
  });
  useEffect(() => keepLayout(table, layout), [table, layout]);

  const actions = useMemo(() => headerActions(table, search, columns, layout.widths ?? {}, onSearch), [table, search, columns, layout, onSearch]);
  const forget = () => {
    setChosen(new Set());
    setAll(false);
  };
  const select = (places: readonly number[], on: boolean) => {
    setAll(false);
    setChosen((before) => {
      const next = new Set(before);
      for (const place of places) {
        const id = rows.get(place)?.id;
        if (id && on) next.add(id);
        else if (id) next.delete(id);
      }
      return next;
    });
  };
  const paste = async ({ cells, at }: Pasted) => {
    const size = sizeOfPaste(cells, { rows: at.bottom - at.top + 1, columns: at.right - at.left + 1 });
    if (size.rows > MOST_PASTED) return refuse("tooMany");
    const fields = columns.slice(at.left - 1, at.left - 1 + size.columns).map(({ field }) => field);
    try {
      const records = await rows.ensure(at.top, at.top + size.rows - 1);
      const planned = planPaste(cells, fields, records, (record, field) => edits.valueOf(record, field));
      const [only] = planned;
      if (size.rows * fields.length === 1 && only?.record && only.cells[0]) {
        const { field, before, after } = only.cells[0];
        edits.change([{ id: only.record.id, field: field.name, before, after }]);
      } else setPlan({ title: t("paste.title", { count: size.rows }), rows: planned });
    } catch (error) {
      notifyFailed(error);
    }
  };
  const refuse = (why: "tooMany" | "notLoaded") => notifications.show({ message: t(why), color: "yellow", role: "alert" });
  const back = async (which: "undo" | "redo") => {
    try {
      const left = await edits[which]();
      if (left === undefined) notifications.show({ message: t("undo.none"), role: "status" });
      else notifyDone(left > 0 ? t("undo.left", { count: left }) : which === "undo" ? t("undone") : t("redone"));
    } catch (error) {
      notifyFailed(error);
    }
  };
  const showNews = () => {
    setNews(0);
    rows.reload();
  };
  if (rows.error !== undefined) return <SearchFailure table={table} search={search} onSearch={onSearch} error={rows.error} onRetry={() => rows.reload()} />;
  return (
    <>
      {rows.isSlow && <Unindexed table={table} search={search} onSearch={onSearch} />}
      {(isAll || chosen.size > 0) && (
        <BulkBar table={table} rows={rows} selected={chosen} isAll={isAll} onClear={forget} onPlan={(title, planned) => setPlan({ title, rows: planned })} />
      )}
      <Grid
        label={titleOf(table, i18n.language)}
        table={table}
        rows={rows}
        edits={edits}
        columns={columns}
        looks={looks}
        actions={actions}
        sort={search.sort}
        canEdit={canEdit}
        selected={chosen}
        isAllSelected={isAll}
        onSelect={select}
        onSelectAll={() => {
          setChosen(new Set());
          setAll(!isAll);
        }}
        onPaste={(pasted) => void paste(pasted)}
        onUndo={() => void back("undo")}
        onRedo={() => void back("redo")}
        onRefused={refuse}
        onActive={setActive}
        goTo={goTo}
      />
      {rows.isReady && rows.size === 0 && (
        <div className={css.nothing}>
          <Empty icon={IconDatabase} title={t(isNarrowed(search) ? "records:empty.filtered" : "records:empty.title")} text={isNarrowed(search) ? undefined : t("records:empty.text")} />
        </div>
      )}
      <GridFoot
        table={table}
        rows={rows}
        edits={edits}
        looks={looks}
        active={active}
        news={isNarrowed(search) ? 0 : news}
        onNews={showNews}
        onShow={(place) => setGoTo({ ...place })}
      />
      {plan && (
        <PlanDialog
          title={plan.title}
          table={table}
          plan={plan.rows}
          rows={rows}
          edits={edits}
          looks={looks}
          onClose={(done) => {
            setPlan(undefined);
            if (done) forget();
          }}
        />
      )}
    </>
  );
}

/** What the menu and the edges of a column do: all of it stands in the address. */
function headerActions(table: Table, search: RecordsSearch, columns: readonly GridColumn[], widths: Record<string, number>, onSearch: Props["onSearch"]): HeaderActions {
  const names = columns.map(({ field }) => field.name);
  const setLayout = (next: Pick<RecordsSearch, "columns" | "widths">) => onSearch({ ...search, ...next });
  return {
    onSort: (sort) => onSearch({ ...search, sort }),
    onFilter: (name) => {
      const field = table.fields.find((one) => one.name === name);
      if (field) onSearch({ ...search, where: [...(search.where ?? []), { field: name, op: operatorsOf(field)[0] ?? "isEmpty", value: "" }] });
    },
    onHide: (name) => setLayout({ columns: names.filter((one) => one !== name), widths }),
    onMove: (name, place) => setLayout({ columns: reordered(names, name, place), widths }),
    onWidth: (name, width) => setLayout({ columns: names, widths: { ...widths, [name]: Math.round(width) } }),
  };
}
