import { Menu } from "@mantine/core";
import { IconArrowDown, IconArrowLeft, IconArrowRight, IconArrowUp, IconColumnRemove, IconFilter } from "@tabler/icons-react";
import { memo, useRef, useSyncExternalStore, type DragEvent, type PointerEvent } from "react";
import { useTranslation } from "react-i18next";

import { titleOf } from "../types";
import { NARROWEST, ROW_CELL, WIDEST, type GridColumn } from "./layout";
import { HEAD, type Viewport } from "./viewport";
import css from "./Grid.module.css";

const STEP = 40;

export interface HeaderActions {
  onSort: (sort: string) => void;
  onFilter: (field: string) => void;
  onHide: (field: string) => void;
  onMove: (field: string, place: number) => void;
  onWidth: (field: string, width: number) => void;
}

interface Props {
  actions: HeaderActions;
  columns: readonly GridColumn[];
  viewport: Viewport;
  width: number;
  sort: string | undefined;
  /** The place of the active cell, if it is in the header; -1 otherwise. */
  active: number;
  /** The field whose menu is open. */
  menu: string | undefined;
  onMenu: (field: string | undefined) => void;
  isAllSelected: boolean;
}

/** The names of the columns; each has a menu, is dragged to another place, and pulled wider at its edge. */
export const GridHeader = memo(function GridHeader(props: Props) {
  const { columns, viewport, width, active } = props;
  const left = useSyncExternalStore(viewport.subscribe, viewport.getLeft);
  const right = useSyncExternalStore(viewport.subscribe, viewport.getRight);
  const { t } = useTranslation("grid");
  const shown = columns.map((column, place) => ({ column, place })).filter(({ place }) => (place >= left && place < right) || place + 1 === active);
  return (
    <div role="row" aria-rowindex={1} className={css.head} data-row={-1} style={{ width, height: HEAD }}>
      <div
        role="columnheader"
        aria-colindex={1}
        className={css.rowCell}
        style={{ width: ROW_CELL }}
        tabIndex={active === 0 ? 0 : -1}
        data-column={0}
        data-active={active === 0 || undefined}
      >
        <span className={css.box} data-on={props.isAllSelected || undefined} aria-hidden />
        <span className={css.words}>{t("selectAll")}</span>
      </div>
      {shown.map(({ column, place }) => (
        <HeaderCell key={column.field.name} {...props} column={column} place={place} />
      ))}
    </div>
  );
});

function HeaderCell({ column, columns, place, active, sort, menu, onMenu, actions }: Props & { column: GridColumn; place: number }) {
  const { i18n } = useTranslation("grid");
  const { field } = column;
  const title = titleOf(field, i18n.language);
  const direction = sort === field.name ? "ascending" : sort === `-${field.name}` ? "descending" : undefined;
  const drop = (event: DragEvent) => {
    event.preventDefault();
    const dragged = event.dataTransfer.getData("text/x-column");
    if (dragged) actions.onMove(dragged, place);
  };
  const isOpen = menu === field.name;
  const wasOpen = useRef(false);
  return (
    <div
      role="columnheader"
      aria-colindex={place + 2}
      aria-sort={direction}
      aria-haspopup="menu"
      aria-expanded={isOpen}
      className={css.headCell}
      style={{ left: column.start, width: column.width }}
      tabIndex={active === place + 1 ? 0 : -1}
      data-column={place + 1}
      data-active={active === place + 1 || undefined}
      draggable
      onDragStart={(event) => event.dataTransfer.setData("text/x-column", field.name)}
      onDragOver={(event) => event.preventDefault()}
      onDrop={drop}
      // Pressing beside an open menu closes it before the click comes.
      onPointerDown={() => (wasOpen.current = isOpen)}
      onClick={(event) => event.currentTarget.contains(event.target as Node) && !wasOpen.current && onMenu(field.name)}
    >
      <span className={css.headText}>{title}</span>
      {direction === "ascending" && <IconArrowUp size={13} aria-hidden />}
      {direction === "descending" && <IconArrowDown size={13} aria-hidden />}
      <Edge column={column} onWidth={actions.onWidth} />
      {isOpen && <ColumnMenu column={column} columns={columns} place={place} actions={actions} onMenu={onMenu} />}
    </div>
  );
}

/** What can be done with a column. There only while it is open: one for each column costs as much as all their rows. */
function ColumnMenu({ column, columns, place, actions, onMenu }: Pick<Props, "columns" | "actions" | "onMenu"> & { column: GridColumn; place: number }) {
  const { t } = useTranslation("grid");
  const { field } = column;
  const sortable = !["json", "array", "attachment", "multiselect"].includes(field.type);
  return (
    <Menu opened onChange={(opened) => !opened && onMenu(undefined)} position="bottom-start">
      <Menu.Target>
        <span className={css.anchor} />
      </Menu.Target>
      <Menu.Dropdown>
        {sortable && (
          <>
            <Menu.Item leftSection={<IconArrowUp size={15} />} onClick={() => actions.onSort(field.name)}>
              {t("column.rising")}
            </Menu.Item>
            <Menu.Item leftSection={<IconArrowDown size={15} />} onClick={() => actions.onSort(`-${field.name}`)}>
              {t("column.falling")}
            </Menu.Item>
            <Menu.Divider />
          </>
        )}
        <Menu.Item leftSection={<IconFilter size={15} />} onClick={() => actions.onFilter(field.name)}>
          {t("column.filter")}
        </Menu.Item>
        <Menu.Item leftSection={<IconArrowLeft size={15} />} disabled={place === 0} onClick={() => actions.onMove(field.name, place - 1)}>
          {t("column.left")}
        </Menu.Item>
        <Menu.Item leftSection={<IconArrowRight size={15} />} disabled={place === columns.length - 1} onClick={() => actions.onMove(field.name, place + 1)}>
          {t("column.right")}
        </Menu.Item>
        <Menu.Item closeMenuOnClick={false} onClick={() => actions.onWidth(field.name, Math.min(WIDEST, column.width + STEP))}>
          {t("column.wider")}
        </Menu.Item>
        <Menu.Item closeMenuOnClick={false} onClick={() => actions.onWidth(field.name, Math.max(NARROWEST, column.width - STEP))}>
          {t("column.narrower")}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item leftSection={<IconColumnRemove size={15} />} disabled={columns.length === 1} onClick={() => actions.onHide(field.name)}>
          {t("column.hide")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

/** Pulls a column wider; by keyboard its menu does. */
function Edge({ column, onWidth }: { column: GridColumn; onWidth: (field: string, width: number) => void }) {
  const pulled = useRef<{ from: number; width: number } | undefined>(undefined);
  const begin = (event: PointerEvent<HTMLSpanElement>) => {
    event.stopPropagation();
    event.preventDefault();
    event.currentTarget.setPointerCapture(event.pointerId);
    pulled.current = { from: event.clientX, width: column.width };
  };
  const pull = (event: PointerEvent) => {
    if (pulled.current) onWidth(column.field.name, Math.max(NARROWEST, Math.min(WIDEST, pulled.current.width + event.clientX - pulled.current.from)));
  };
  return (
    <span
      className={css.edge}
      aria-hidden
      draggable={false}
      onPointerDown={begin}
      onPointerMove={pull}
      onPointerUp={() => (pulled.current = undefined)}
      onClick={(event) => event.stopPropagation()}
    />
  );
}
