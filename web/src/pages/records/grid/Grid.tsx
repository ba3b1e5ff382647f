import { useCallback, useEffect, useEffectEvent, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore, type ClipboardEvent, type FocusEvent, type KeyboardEvent, type MouseEvent, type PointerEvent } from "react";
import { useNavigate } from "@tanstack/react-router";

import { nameOf, type Table } from "../types";
import { between, moved, sizeOf, type Area, type Place } from "./area";
import { CellEditor, type Then } from "./CellEditor";
import type { Looks } from "./cells";
import { written } from "./cells";
import type { Edits } from "./edits";
import { GridBody } from "./GridBody";
import { GridHeader, type HeaderActions } from "./GridHeader";
import type { GridColumn } from "./layout";
import type { Rows } from "./rows";
import { asItWas, fromSheet, madeSafe, toSheet } from "./sheet";
import { useViewport } from "./useGrid";
import css from "./Grid.module.css";

/** Rows of a block that is copied or emptied at once. */
const MOST_ROWS = 500;
const CANNOT_BE_FORMULAS = new Set(["phone", "date", "datetime", "number", "integer", "checkbox", "relation"]);

/** A cell that is being typed into, and what it had when that began. */
interface Editing {
  id: string;
  field: string;
  before: unknown;
  /** The first letter, where typing opened the editor. */
  typed: string | undefined;
}

export interface Pasted {
  cells: string[][];
  at: Area;
}

interface Props {
  actions: HeaderActions;
  label: string;
  table: Table;
  rows: Rows;
  edits: Edits;
  columns: readonly GridColumn[];
  looks: Looks;
  sort: string | undefined;
  canEdit: boolean;
  selected: ReadonlySet<string>;
  isAllSelected: boolean;
  onSelect: (rows: readonly number[], on: boolean) => void;
  onSelectAll: () => void;
  /** A block was pasted that concerns more than one cell. */
  onPaste: (pasted: Pasted) => void;
  onUndo: () => void;
  onRedo: () => void;
  /** What cannot be done, said to the person. */
  onRefused: (why: "tooMany" | "notLoaded") => void;
  onActive: (place: { id: string; field: string } | undefined) => void;
  /** A cell that is to be shown: another object for each time. */
  goTo: { id: string; field: string } | undefined;
}

/** Records as a spreadsheet: by the ARIA pattern of a grid, with one cell that has the focus. */
export function Grid(props: Props) {
  const { table, rows, edits, columns, looks, selected, canEdit } = props;
  const navigate = useNavigate();
  const viewport = useViewport(rows.size, columns);
  const [active, setActive] = useState<Place>({ row: 0, column: 1 });
  const [anchor, setAnchor] = useState<Place>(active);
  const [editing, setEditing] = useState<Editing | undefined>();
  const [menu, setMenu] = useState<string | undefined>();
  const grid = useRef<HTMLDivElement>(null);
  const dragging = useRef(false);
  const wantsFocus = useRef(false);
  const hasFocus = useRef(false);
  const scroller = useCallback(
    (element: HTMLDivElement | null) => {
      grid.current = element;
      return viewport.attach(element);
    },
    [viewport],
  );
  const last = rows.size - 1;
  const at: Place = { row: Math.min(active.row, Math.max(last, -1)), column: Math.min(active.column, columns.length) };
  const area = between(at, { row: Math.min(anchor.row, last), column: Math.min(anchor.column, columns.length) });
  const isBlock = sizeOf(area) > 1 && area.top >= 0 && area.left > 0;
  const { top, bottom, left, right } = area;
  const block = useMemo(() => (isBlock ? { top, bottom, left, right } : undefined), [isBlock, top, bottom, left, right]);
  const keepFocus = useCallback(() => {
    // A row that leaves the screen is drawn by another element: who was there stays there.
    const isLost = hasFocus.current && document.activeElement === document.body;
    if (!wantsFocus.current && !isLost) return;
    wantsFocus.current = false;
    grid.current?.querySelector<HTMLElement>("[data-active]")?.focus({ preventScroll: true });
  }, []);
  useLayoutEffect(() => {
    if (!editing) keepFocus();
  });
  const tellActive = useEffectEvent((id: string | undefined, field: string | undefined) => props.onActive(id && field ? { id, field } : undefined));
  const activeId = useSyncExternalStore(rows.subscribe, () => rows.get(at.row)?.id);
  const activeField = columns[at.column - 1]?.field.name;
  useEffect(() => tellActive(activeId, activeField), [activeId, activeField]);
  const { goTo } = props;
  const go = useEffectEvent((place: { id: string; field: string }) => {
    const row = rows.rowOf(place.id);
    const column = columns.findIndex(({ field }) => field.name === place.field) + 1;
    if (row !== undefined && column > 0) move({ row, column });
  });
  useEffect(() => {
    if (goTo) go(goTo);
  }, [goTo]);

  function move(place: Place, extend = false): void {
    setActive(place);
    if (!extend) setAnchor(place);
    viewport.show(place.row, place.column);
    wantsFocus.current = true;
  }

  const begin = (typed?: string) => {
    const record = rows.get(at.row);
    const column = columns[at.column - 1];
    if (!canEdit || !record || !column || rows.isDeleted(record.id)) return;
    setAnchor(at);
    const field = column.field.name;
    setEditing({ id: record.id, field, before: edits.valueOf(record, field), typed });
  };
  const finish = (value: unknown, then: Then) => {
    setEditing(undefined);
    if (editing) edits.change([{ id: editing.id, field: editing.field, before: editing.before, after: value }]);
    const step: Record<Then, Place> = {
      down: { row: Math.min(at.row + 1, last), column: at.column },
      up: { row: Math.max(at.row - 1, 0), column: at.column },
      right: { row: at.row, column: Math.min(at.column + 1, columns.length) },
      left: { row: at.row, column: Math.max(at.column - 1, 1) },
      stay: at,
    };
    move(step[then]);
  };
  const empty = () => {
    if (!canEdit || area.top < 0) return;
    if (area.bottom - area.top >= MOST_ROWS) return props.onRefused("tooMany");
    const changes = [];
    for (let row = area.top; row <= area.bottom; row += 1) {
      const record = rows.get(row);
      if (!record) return props.onRefused("notLoaded");
      for (const { field } of columns.slice(Math.max(0, area.left - 1), area.right)) {
        changes.push({ id: record.id, field: field.name, before: edits.valueOf(record, field.name), after: null });
      }
    }
    edits.change(changes);
  };
  const press = () => {
    const record = rows.get(at.row);
    const column = columns[at.column - 1];
    if (at.row < 0) return at.column === 0 ? props.onSelectAll() : setMenu(column?.field.name);
    if (!record) return;
    if (at.column === 0) return void navigate({ to: "/records/$table/$recordId", params: { table: table.name, recordId: record.id } });
    begin();
  };
  const space = () => {
    const record = rows.get(at.row);
    const column = columns[at.column - 1];
    if (at.column === 0) return at.row < 0 ? props.onSelectAll() : record && props.onSelect([at.row], !selected.has(record.id));
    if (record && column?.field.type === "checkbox" && canEdit) {
      const before = edits.valueOf(record, column.field.name);
      return edits.change([{ id: record.id, field: column.field.name, before, after: before !== true }]);
    }
    press();
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (editing || menu || event.altKey) return;
    const mod = event.ctrlKey || event.metaKey;
    const did = (act: () => void) => {
      event.preventDefault();
      act();
    };
    const key = event.key.toLowerCase();
    if (mod && key === "z") return did(event.shiftKey ? props.onRedo : props.onUndo);
    if (mod && key === "y") return did(props.onRedo);
    if (mod && key === "a") return did(() => (setAnchor({ row: 0, column: 1 }), move({ row: Math.min(last, MOST_ROWS - 1), column: columns.length }, true)));
    const place = moved(at, event.key, mod, { rows: rows.size, columns: columns.length + 1, page: viewport.get().page });
    if (place) return did(() => move(place, event.shiftKey));
    if (mod) return;
    if (event.key === "Enter" || event.key === "F2") return did(press);
    if (event.key === " ") return did(event.shiftKey ? () => props.onSelect(range(area.top, area.bottom), true) : space);
    if (event.key === "Delete" || event.key === "Backspace") return did(empty);
    if (event.key === "Escape") return did(() => (isBlock ? setAnchor(at) : activeId && activeField && edits.discard(activeId, activeField)));
    if (event.key.length === 1 && at.row >= 0 && at.column > 0) did(() => begin(event.key));
  };

  const placeOf = (target: EventTarget | null): Place | undefined => {
    const cell = target instanceof Element ? target.closest<HTMLElement>("[data-column]") : null;
    const row = cell?.closest<HTMLElement>("[data-row]");
    return cell && row ? { row: Number(row.dataset["row"]), column: Number(cell.dataset["column"]) } : undefined;
  };
  const onPointerDown = (event: PointerEvent) => {
    const place = placeOf(event.target);
    if (!place || event.button !== 0 || (event.target as Element).closest("a, input, textarea, button")) return;
    if (editing && place.row === at.row && place.column === at.column) return;
    // An editor that loses the focus keeps what was typed.
    if (editing) (document.activeElement as HTMLElement | null)?.blur();
    if (place.column === 0 && place.row >= 0) {
      const record = rows.get(place.row);
      if (record) props.onSelect(event.shiftKey ? range(at.row, place.row) : [place.row], event.shiftKey || !selected.has(record.id));
    } else if (place.column === 0) props.onSelectAll();
    move(place, event.shiftKey && place.row >= 0);
    dragging.current = event.pointerType === "mouse" && place.row >= 0 && place.column > 0;
  };
  const onPointerMove = (event: PointerEvent) => {
    if (!dragging.current || event.buttons !== 1) return;
    const place = placeOf(event.target);
    if (place && place.row >= 0 && place.column > 0 && (place.row !== at.row || place.column !== at.column)) setActive(place);
  };
  const onClick = (event: MouseEvent) => {
    const recordId = (event.target as Element).closest<HTMLElement>("a[data-record]")?.dataset["record"];
    if (!recordId || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    void navigate({ to: "/records/$table/$recordId", params: { table: table.name, recordId } });
  };
  const onFocus = (event: FocusEvent<HTMLElement>) => {
    hasFocus.current = true;
    if (!event.target.matches("[data-column]")) return;
    const place = placeOf(event.target);
    if (!place || (place.row === at.row && place.column === at.column)) return;
    setActive(place);
    setAnchor(place);
  };
  const onDoubleClick = (event: MouseEvent) => {
    const place = placeOf(event.target);
    if (place && place.row >= 0 && place.column > 0) begin();
  };

  const copy = (event: ClipboardEvent) => {
    if (editing || area.top < 0) return;
    event.preventDefault();
    if (area.bottom - area.top >= MOST_ROWS) return props.onRefused("tooMany");
    const block: string[][] = [];
    for (let row = area.top; row <= area.bottom; row += 1) {
      const record = rows.get(row);
      if (!record) return props.onRefused("notLoaded");
      if (area.right === 0) block.push([nameOf(record, table.fields)]);
      else {
        block.push(
          columns.slice(Math.max(0, area.left - 1), area.right).map(({ field }) => {
            const text = written(field, edits.valueOf(record, field.name));
            return CANNOT_BE_FORMULAS.has(field.type) ? text : madeSafe(text);
          }),
        );
      }
    }
    event.clipboardData.setData("text/plain", toSheet(block));
    if (event.type === "cut") empty();
  };
  const paste = (event: ClipboardEvent) => {
    if (editing || !canEdit || at.row < 0 || at.column === 0) return;
    event.preventDefault();
    const cells = fromSheet(event.clipboardData.getData("text/plain")).map((row) => row.map(asItWas));
    props.onPaste({ cells, at: { ...area, left: Math.max(1, area.left) } });
  };

  const width = columns.reduce((sum, column) => Math.max(sum, column.start + column.width), 0);
  const editedColumn = columns[at.column - 1];
  const editor = editing && editedColumn && (
    <CellEditor
      field={editedColumn.field}
      value={editing.before}
      typed={editing.typed}
      onDone={finish}
      onCancel={() => {
        setEditing(undefined);
        wantsFocus.current = true;
      }}
    />
  );
  return (
    <div
      ref={scroller}
      role="grid"
      aria-label={props.label}
      aria-rowcount={rows.total.exact ? rows.size + 1 : -1}
      aria-colcount={columns.length + 1}
      aria-multiselectable
      aria-busy={!rows.isReady}
      className={css.grid}
      data-dragging={isBlock || undefined}
      onKeyDown={onKeyDown}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={() => (dragging.current = false)}
      onClick={onClick}
      onFocus={onFocus}
      onBlur={() => (hasFocus.current = false)}
      onDoubleClick={onDoubleClick}
      onCopy={copy}
      onCut={copy}
      onPaste={paste}
    >
      <GridHeader
        actions={props.actions}
        columns={columns}
        viewport={viewport}
        width={width}
        sort={props.sort}
        active={at.row === -1 ? at.column : -1}
        menu={menu}
        onMenu={setMenu}
        isAllSelected={props.isAllSelected}
      />
      <GridBody
        table={table}
        viewport={viewport}
        rows={rows}
        edits={edits}
        columns={columns}
        looks={looks}
        width={width}
        activeRow={at.row}
        activeColumn={at.column}
        block={block}
        selected={selected}
        isAllSelected={props.isAllSelected}
        editor={editor}
        onDrawn={keepFocus}
      />
    </div>
  );
}

function range(from: number, to: number): number[] {
  const [low, high] = from <= to ? [from, to] : [to, from];
  return Array.from({ length: Math.max(0, high - low + 1) }, (_, place) => low + place);
}

