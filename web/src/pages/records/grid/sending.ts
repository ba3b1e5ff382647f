/** Many changes of records, in slices that one call takes. */
import { api, got, idempotencyKey } from "@/api/client";
import type { Problem } from "@/api/errors";
import type { TableRecord } from "../types";

export const SLICE = 500;

export interface RecordChange {
  do?: "create" | "update" | "delete" | "restore";
  id?: string;
  version?: number;
  values?: Record<string, unknown>;
}

export interface ChangeResult {
  refused: boolean;
  record: TableRecord | null;
  errors: readonly Problem[];
}

interface Options {
  dryRun?: boolean;
  /** Keep nothing of a slice where one of its changes is refused. */
  allOrNothing?: boolean;
  signal?: AbortSignal | undefined;
  onProgress?: (done: number) => void;
}

/** What each change came to, in their order. Throws where a slice could not be sent at all. */
export async function sendChanges(table: string, changes: readonly RecordChange[], options: Options = {}): Promise<{ written: boolean; results: ChangeResult[] }> {
  const { dryRun = false, allOrNothing = false, signal, onProgress } = options;
  const results: ChangeResult[] = [];
  let written = true;
  for (let from = 0; from < changes.length; from += SLICE) {
    const answer = await got(
      api.POST("/tables/{tableId}/records/changes", {
        params: { path: { tableId: table }, header: { "Idempotency-Key": idempotencyKey() } },
        body: { changes: changes.slice(from, from + SLICE) as never, dryRun, allOrNothing },
        ...(signal && { signal }),
      }),
    );
    results.push(...(answer.results as unknown as ChangeResult[]));
    written &&= answer.written;
    onProgress?.(results.length);
    if (allOrNothing && !answer.written) break;
  }
  return { written, results };
}
