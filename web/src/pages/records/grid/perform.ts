/** Does what a plan says, as one step that can be undone. */
import type { Edits } from "./edits";
import { changesOf, type PlannedRow } from "./plan";
import type { Rows } from "./rows";
import { sendChanges, SLICE, type ChangeResult, type RecordChange } from "./sending";

interface Options {
  signal?: AbortSignal;
  onProgress?: (done: number) => void;
}

/** What each row came to. Nothing is kept where one of up to 500 is refused; of more, each slice is taken or left as a whole. */
export async function perform(rows: Rows, edits: Edits, plan: readonly PlannedRow[], options: Options = {}): Promise<ChangeResult[]> {
  const { results } = await sendChanges(rows.table, changesOf(plan), { allOrNothing: plan.length <= SLICE, ...options });
  const kept = plan.length > SLICE || results.every(({ refused }) => !refused);
  if (!kept) return results;
  show(rows, plan, results);
  const done = plan.flatMap((planned, place) => {
    const result = results[place];
    return result && !result.refused ? [{ planned, record: result.record }] : [];
  });
  const back = done.map(({ planned, record }): RecordChange => {
    if (planned.deletes && planned.record) return { do: "restore", id: planned.record.id };
    if (!planned.record) return { do: "delete", ...(record && { id: record.id }) };
    return { ...(record && { id: record.id, version: record.version }), values: Object.fromEntries(planned.cells.map(({ field, before }) => [field.name, before ?? null])) };
  });
  const forth = done.map(({ planned, record }): RecordChange => {
    if (planned.deletes && planned.record) return { do: "delete", id: planned.record.id };
    if (!planned.record) return { do: "restore", ...(record && { id: record.id }) };
    return { id: planned.record.id, values: Object.fromEntries(planned.cells.map(({ field, after }) => [field.name, after])) };
  });
  const again = async (changes: readonly RecordChange[]) => {
    const answer = await sendChanges(rows.table, changes);
    rows.reload();
    return answer.results.filter(({ refused }) => refused).length;
  };
  edits.did({ undo: () => again(back), redo: () => again(forth) });
  return results;
}

function show(rows: Rows, plan: readonly PlannedRow[], results: readonly ChangeResult[]): void {
  plan.forEach(({ record, deletes }, place) => {
    const result = results[place];
    if (!result || result.refused) return;
    if (deletes && record) rows.remove(record.id);
    else if (result.record) rows.replace(result.record);
  });
  if (plan.some(({ record }) => !record)) rows.reload();
}
