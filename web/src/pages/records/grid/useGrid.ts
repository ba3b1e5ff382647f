/** The grid's own state as React sees it. */
import { useEffect, useLayoutEffect, useMemo, useState, useSyncExternalStore } from "react";

import { Edits } from "./edits";
import type { GridColumn } from "./layout";
import { Rows, type Search } from "./rows";
import { Viewport, type Seen } from "./viewport";

/** The records that a search finds, and what is typed into them. Who shows single records looks at them besides. */
export function useRecords(table: string, search: Search): { rows: Rows; edits: Edits } {
  const key = JSON.stringify([table, search]);
  const rows = useMemo(() => new Rows(...(JSON.parse(key) as [string, Search])), [key]);
  const edits = useMemo(() => new Edits(table), [table]);
  useEffect(() => edits.open(), [edits]);
  useEffect(() => {
    edits.show(rows);
    return rows.open();
  }, [edits, rows]);
  useSyncExternalStore(rows.subscribe, rows.getOutline);
  useSyncExternalStore(edits.subscribe, edits.getVersion);
  return { rows, edits };
}

/** What looks at rows and columns, for as many as there are. */
export function useViewport(count: number, columns: readonly GridColumn[]): Viewport {
  const [viewport] = useState(() => new Viewport());
  useLayoutEffect(() => viewport.set(count, columns), [viewport, count, columns]);
  return viewport;
}

/** What of them is on the screen: only who draws it is drawn anew while people scroll. */
export function useSeen(viewport: Viewport): Seen {
  return useSyncExternalStore(viewport.subscribe, viewport.get);
}
