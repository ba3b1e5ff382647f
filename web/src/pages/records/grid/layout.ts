/** Which columns a grid has, in which order and how wide: in the address, and kept for the next time. */
import type { Field, Table } from "../types";
import type { RecordsSearch } from "../search";

export interface GridColumn {
  field: Field;
  width: number;
  /** Where it begins, from the edge of the grid. */
  start: number;
}

export const ROW_CELL = 56;
export const NARROWEST = 60;
export const WIDEST = 800;
const SHOWN_FIRST = 30;

const WIDTHS: Record<string, number> = { checkbox: 90, integer: 110, number: 120, date: 120, datetime: 170, email: 210, phone: 150, json: 220, array: 180, relation: 190 };

/** The columns that a search asks for; without one, the table's own. */
export function columnsOf(fields: readonly Field[], { columns, widths }: Pick<RecordsSearch, "columns" | "widths">): GridColumn[] {
  const known = new Map(fields.map((field) => [field.name, field]));
  const chosen = (columns ?? []).flatMap((name) => known.get(name) ?? []);
  let start = ROW_CELL;
  return (chosen.length > 0 ? chosen : fields.slice(0, SHOWN_FIRST)).map((field) => {
    const width = widthOf(field, widths?.[field.name]);
    const column = { field, width, start };
    start += width;
    return column;
  });
}

function widthOf(field: Field, wanted: number | undefined): number {
  return wanted === undefined ? (WIDTHS[field.type] ?? 170) : Math.max(NARROWEST, Math.min(Math.round(wanted), WIDEST));
}

/** The names in their order, with one taken to another place. */
export function reordered(names: readonly string[], name: string, place: number): string[] {
  const rest = names.filter((one) => one !== name);
  rest.splice(Math.max(0, Math.min(place, rest.length)), 0, name);
  return rest;
}

type Layout = Pick<RecordsSearch, "columns" | "widths">;

const keyOf = (table: Table) => `passerelle.columns.${table.id}`;

/** The layout that this person left the table with. */
export function keptLayout(table: Table): Layout {
  try {
    const kept = JSON.parse(localStorage.getItem(keyOf(table)) ?? "{}") as Layout;
    return {
      ...(Array.isArray(kept.columns) && { columns: kept.columns }),
      ...(kept.widths && typeof kept.widths === "object" && { widths: kept.widths }),
    };
  } catch {
    return {};
  }
}

export function keepLayout(table: Table, { columns, widths }: Layout): void {
  try {
    localStorage.setItem(keyOf(table), JSON.stringify({ columns, widths }));
  } catch {
    // Storage is refused: it holds until the page is left.
  }
}
