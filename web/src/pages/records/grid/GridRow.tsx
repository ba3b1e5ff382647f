import { IconArrowUpRight } from "@tabler/icons-react";
import { memo, type ReactNode } from "react";

import { under } from "@/app/prefix";
import type { Field, TableRecord } from "../types";
import type { Looks } from "./cells";
import type { Draft } from "./edits";
import { ROW_CELL, type GridColumn } from "./layout";
import { ROW } from "./viewport";
import css from "./Grid.module.css";

interface Props {
  row: number;
  top: number;
  table: string;
  record: TableRecord | undefined;
  drafts: ReadonlyMap<string, Draft> | undefined;
  columns: readonly GridColumn[];
  /** The columns on the screen, and the one behind the last. */
  left: number;
  right: number;
  looks: Looks;
  names: ReadonlyMap<string, string>;
  /** The place of the grid's active cell, if it is in this row; -1 otherwise. 0 is the row's own cell. */
  active: number;
  /** The columns that are chosen together, by their places; -1 for none. */
  from: number;
  to: number;
  isSelected: boolean;
  isDeleted: boolean;
  /** What the record is called. */
  name: string;
  open: string;
  editor: ReactNode;
}

const OPEN = <IconArrowUpRight size={15} stroke={1.8} aria-hidden />;

/** One record of the grid. Drawn anew only where something of it has changed: scrolling draws hundreds of cells. */
export const GridRow = memo(function GridRow(props: Props) {
  const { row, top, record, drafts, columns, left, right, looks, names, active, from, to, isSelected, isDeleted, name, editor } = props;
  const shown: number[] = [];
  // The active cell is always there, so that it keeps the focus.
  if (active > 0 && active - 1 < left) shown.push(active - 1);
  for (let place = left; place < right; place += 1) shown.push(place);
  if (active - 1 >= right) shown.push(active - 1);
  return (
    <div
      role="row"
      aria-rowindex={row + 2}
      aria-selected={isSelected}
      className={css.row}
      data-row={row}
      data-selected={isSelected || undefined}
      data-deleted={isDeleted || undefined}
      data-editing={editor !== undefined || undefined}
      style={{ transform: `translateY(${top}px)`, height: ROW }}
    >
      <div
        role="rowheader"
        aria-colindex={1}
        aria-label={name}
        className={css.rowCell}
        style={{ width: ROW_CELL }}
        tabIndex={active === 0 ? 0 : -1}
        data-column={0}
        data-active={active === 0 || undefined}
      >
        {record && (
          <>
            <span className={css.box} data-on={isSelected || undefined} aria-hidden />
            {/* The grid follows it: a link of the router's costs as much as all the cells of a row. */}
            <a href={under(`/app/records/${encodeURIComponent(props.table)}/${record.id}`)} className={css.open} tabIndex={-1} aria-label={`${props.open}: ${name}`} data-record={record.id}>
              {OPEN}
            </a>
          </>
        )}
      </div>
      {shown.map((index) => {
        const column = columns[index];
        if (!column) return null;
        const place = index + 1;
        const isChosen = place >= from && place <= to;
        return (
          <GridCell
            key={column.field.name}
            place={place}
            column={column}
            record={record}
            draft={drafts?.get(column.field.name)}
            looks={looks}
            names={names}
            isActive={active === place}
            isSelected={isChosen}
            isChosen={isChosen && from !== -1}
            editor={active === place ? editor : undefined}
          />
        );
      })}
    </div>
  );
});

interface CellProps {
  place: number;
  column: GridColumn;
  record: TableRecord | undefined;
  draft: Draft | undefined;
  looks: Looks;
  names: ReadonlyMap<string, string>;
  isActive: boolean;
  isSelected: boolean;
  isChosen: boolean;
  editor: ReactNode;
}

/** It knows its record but not its row: where a row that is not loaded takes the place of another, nothing is drawn. */
const GridCell = memo(function GridCell({ place, column, record, draft, looks, names, isActive, isSelected, isChosen, editor }: CellProps) {
  const { field } = column;
  const value = draft ? draft.value : record?.[field.name];
  return (
    <div
      role="gridcell"
      aria-colindex={place + 1}
      aria-selected={isSelected}
      aria-invalid={draft?.state === "refused" || draft?.state === "conflict" || undefined}
      title={draft?.message}
      className={css.cell}
      style={{ left: column.start, width: column.width }}
      tabIndex={isActive ? 0 : -1}
      data-column={place}
      data-active={isActive || undefined}
      data-editing={editor !== undefined || undefined}
      data-chosen={isChosen || undefined}
      data-state={draft?.state}
      data-end={field.type === "number" || field.type === "integer" || undefined}
    >
      {editor ?? (record ? <CellText field={field} value={value} looks={looks} names={names} /> : <span className={css.blank} aria-hidden />)}
    </div>
  );
});

/** A value in one line. Texts of records are texts: nothing of them is ever markup. */
export function CellText({ field, value, looks, names }: { field: Field; value: unknown; looks: Looks; names: ReadonlyMap<string, string> }) {
  if (field.type === "relation" && typeof value === "string") return names.get(value) ?? `${value.slice(0, 8)}…`;
  const text = looks.of(field, value);
  if (field.type === "singleSelect" && text !== "") {
    const hue = field.options?.findIndex((one) => one.value === value) ?? -1;
    return (
      <span className={css.choice} data-hue={hue < 0 ? undefined : hue % 8}>
        {text}
      </span>
    );
  }
  return text;
}
