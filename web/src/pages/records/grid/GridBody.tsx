import { memo, useEffect, useLayoutEffect, useMemo, useState, useSyncExternalStore, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { nameOf, type Table } from "../types";
import type { Area } from "./area";
import type { Looks } from "./cells";
import type { Edits } from "./edits";
import { GridRow } from "./GridRow";
import type { GridColumn } from "./layout";
import type { Rows } from "./rows";
import { useSeen } from "./useGrid";
import { ROW, type Viewport } from "./viewport";
import css from "./Grid.module.css";

/** Milliseconds that somebody stays before rows are loaded: a list that flies by is not. */
const STAYING = 60;
/** Milliseconds after which nobody scrolls any more. */
const RESTING = 200;

interface Props {
  table: Table;
  viewport: Viewport;
  rows: Rows;
  edits: Edits;
  columns: readonly GridColumn[];
  looks: Looks;
  width: number;
  /** The row and the column of the active cell, and the block that is chosen with it. */
  activeRow: number;
  activeColumn: number;
  block: Area | undefined;
  selected: ReadonlySet<string>;
  isAllSelected: boolean;
  /** What the active cell is written with, while it is. */
  editor: ReactNode;
  /** The rows were drawn, and nobody writes. */
  onDrawn: () => void;
}

/** The rows on the screen: nothing else of the grid is drawn anew while people scroll. */
export const GridBody = memo(function GridBody({ table, viewport, rows, edits, columns, looks, width, activeRow, activeColumn, block, selected, isAllSelected, editor, onDrawn }: Props) {
  const { t } = useTranslation("grid");
  const { first, end, left, right, drawn, tall, shift } = useSeen(viewport);
  useSyncExternalStore(rows.subscribe, rows.getVersion);
  useSyncExternalStore(edits.subscribe, edits.getVersion);
  useEffect(() => {
    const staying = setTimeout(() => rows.want(first, Math.max(first, end - 1)), STAYING);
    return () => clearTimeout(staying);
  }, [rows, first, end]);
  useLayoutEffect(() => {
    if (editor === undefined) onDrawn();
  });
  const order = useOrder(first, end, drawn);
  const isAway = activeRow >= 0 && (activeRow < first || activeRow >= end);
  const [loading, open] = [t("loading"), t("open")];
  return (
    <div role="rowgroup" className={css.body} style={{ width, height: tall }}>
      {(isAway ? [...order, activeRow] : order).map((row) => {
        const record = rows.get(row);
        const isActive = row === activeRow;
        const inBlock = block !== undefined && row >= block.top && row <= block.bottom;
        return (
          <GridRow
            key={isActive && (isAway || editor !== undefined) ? "active" : row % drawn}
            row={row}
            top={row * ROW + shift}
            table={table.name}
            record={record}
            drafts={record && edits.of(record.id)}
            columns={columns}
            left={left}
            right={right}
            looks={looks}
            names={rows.names}
            active={isActive ? activeColumn : -1}
            from={inBlock ? block.left : -1}
            to={inBlock ? block.right : -1}
            isSelected={record !== undefined && (isAllSelected || selected.has(record.id))}
            isDeleted={record !== undefined && rows.isDeleted(record.id)}
            name={record ? nameOf(record, table.fields) : loading}
            open={open}
            editor={isActive && record ? editor : undefined}
          />
        );
      })}
    </div>
  );
});

/**
 * The rows, in the order of their elements. Elements are used again for other rows, as to make those of a whole screen
 * anew takes longer than a frame; and while people scroll they stay where they are in the document, as to move one costs
 * as much. Once people rest, they stand in the order of the rows, for whoever reads them one after the other.
 */
function useOrder(first: number, end: number, drawn: number): number[] {
  const [base, setBase] = useState(first);
  useEffect(() => {
    const resting = setTimeout(() => setBase(first), RESTING);
    return () => clearTimeout(resting);
  }, [first]);
  return useMemo(() => {
    const ahead = (((first - base) % drawn) + drawn) % drawn;
    const rows = Array.from({ length: drawn }, (_, place) => first + ((place - ahead + drawn) % drawn));
    return rows.filter((row) => row < end);
  }, [base, first, end, drawn]);
}
