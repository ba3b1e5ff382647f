/** The grid's own state as React sees it. */
import { useEffect, useLayoutEffect, useMemo, useState, useSyncExternalStore } from "react";

import { Edits } from "./edits";
import type { GridColumn } from "./layout";
import { Rows, type Search } from "./rows";
import { Viewport, type Seen } from "./viewport";

/** The records that a search finds, and what is typed into them. */
export function useRecords(table: string, search: Search): { rows: Rows; edits: Edits; version: number } {
  const key = JSON.stringify([table, search]);
  const rows = useMemo(() => new Rows(...(JSON.parse(key) as [string, Search])), [key]);
  const edits = useMemo(() => new Edits(table), [table]);
  useEffect(() => edits.open(), [edits]);
  useEffect(() => {
    edits.show(rows);
    return rows.open();
  }, [edits, rows]);
  const ofRows = useSyncExternalStore(rows.subscribe, rows.getVersion);
  const ofEdits = useSyncExternalStore(edits.subscribe, edits.getVersion);
  return { rows, edits, version: ofRows + ofEdits };
}

/** What of the rows and columns is on the screen. */
export function useViewport(count: number, columns: readonly GridColumn[]): { viewport: Viewport; seen: Seen } {
  const [viewport] = useState(() => new Viewport());
  useLayoutEffect(() => viewport.set(count, columns), [viewport, count, columns]);
  return { viewport, seen: useSyncExternalStore(viewport.subscribe, viewport.get) };
}
