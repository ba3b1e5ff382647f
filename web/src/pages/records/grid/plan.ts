/** From a block that was pasted to the changes that it means, before anything is changed. */
import type { Field, TableRecord } from "../types";
import { read, same, type Read } from "./cells";
import type { RecordChange } from "./sending";

export interface PlannedCell {
  field: Field;
  text: string;
  before: unknown;
  after: unknown;
  /** Why the text is no value of the field. */
  problem?: Extract<Read, { problem: string }>["problem"];
}

export interface PlannedRow {
  /** The record that changes; none for a new one. */
  record: TableRecord | undefined;
  cells: readonly PlannedCell[];
  /** The record is to be deleted. */
  deletes?: boolean;
}

/** How many rows and columns a paste concerns: a single row or column fills what is chosen. */
export function sizeOfPaste(cells: readonly (readonly string[])[], chosen: { rows: number; columns: number }): { rows: number; columns: number } {
  const width = Math.max(...cells.map((row) => row.length));
  return {
    rows: chosen.rows % cells.length === 0 ? chosen.rows : cells.length,
    columns: chosen.columns % width === 0 ? chosen.columns : width,
  };
}

/** What becomes of each record; a row that changes nothing is left out. */
export function planPaste(
  cells: readonly (readonly string[])[],
  fields: readonly Field[],
  records: readonly (TableRecord | undefined)[],
  valueOf: (record: TableRecord, field: string) => unknown,
): PlannedRow[] {
  return records.flatMap((record, at) => {
    const texts = cells[at % cells.length] ?? [];
    const planned = fields.flatMap((field, place): PlannedCell[] => {
      const text = texts[place % Math.max(texts.length, 1)];
      if (text === undefined) return [];
      const found = read(field, text);
      const before = record && valueOf(record, field.name);
      if ("problem" in found) return [{ field, text, before, after: text, problem: found.problem }];
      return same(before, found.value) ? [] : [{ field, text, before, after: found.value }];
    });
    return planned.length > 0 ? [{ record, cells: planned }] : [];
  });
}

/** The changes that a plan's rows are, without cells that cannot be read. */
export function changesOf(rows: readonly PlannedRow[]): RecordChange[] {
  return rows.map(({ record, cells, deletes }) => ({
    ...(record && deletes && { do: "delete" as const }),
    ...(record ? { id: record.id, version: record.version } : { do: "create" as const }),
    ...(!deletes && { values: Object.fromEntries(cells.filter(({ problem }) => !problem).map(({ field, after }) => [field.name, after])) }),
  }));
}
