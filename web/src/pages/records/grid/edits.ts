/** What was typed into cells and is not in the server's answer yet: shown at once, sent, kept while the connection is
 * away, and told apart where somebody else was faster. Nothing of it is lost, and nothing of theirs is overwritten. */
import { api } from "@/api/client";
import { ApiError, NetworkError } from "@/api/errors";
import { session } from "@/app/auth";
import { connection } from "@/live/connection";
import type { TableRecord } from "../types";
import { same } from "./cells";
import type { Rows } from "./rows";
import { sendChanges, SLICE, type ChangeResult } from "./sending";

export interface CellChange {
  id: string;
  field: string;
  before: unknown;
  after: unknown;
}

export interface Draft {
  value: unknown;
  /** What the cell had when it was typed over. */
  base: unknown;
  state: "waiting" | "sending" | "refused" | "conflict";
  /** Why it was refused. */
  message?: string;
}

/** Something that was done and can be taken back; both say how many cells others have changed since, which stay. */
export interface Step {
  undo: () => Promise<number> | number;
  redo: () => Promise<number> | number;
}

const MOST_STEPS = 200;
const AGAIN = 10_000;
const PATIENCE = 3_000;
const LOOK = 50;

export class Edits {
  private readonly drafts = new Map<string, ReadonlyMap<string, Draft>>();
  private readonly versions = new Map<string, number>();
  private readonly listeners = new Set<() => void>();
  private done: Step[] = [];
  private undone: Step[] = [];
  private sending = false;
  private again: ReturnType<typeof setTimeout> | undefined;
  private version = 0;
  private rows: Rows | undefined;

  constructor(readonly table: string) {}

  /** Another list of the same table is on the screen; what was typed stays. */
  show(rows: Rows): void {
    this.rows = rows;
  }

  /** Begin; the answer ends it. */
  open(): () => void {
    const flush = () => void this.flush();
    const ends = [connection.subscribe(flush), session.subscribe(flush)];
    window.addEventListener("online", flush);
    return () => {
      window.removeEventListener("online", flush);
      ends.forEach((end) => end());
      clearTimeout(this.again);
    };
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  getVersion = (): number => this.version;

  /** What was typed into a record's cells; the same object as long as nothing changes. */
  of(id: string): ReadonlyMap<string, Draft> | undefined {
    return this.drafts.get(id);
  }

  valueOf(record: TableRecord, field: string): unknown {
    const draft = this.drafts.get(record.id)?.get(field);
    return draft ? draft.value : record[field];
  }

  /** Cells that are not in the server's answer, by what they wait for. */
  get counts(): Record<Draft["state"], number> {
    const counts = { waiting: 0, sending: 0, refused: 0, conflict: 0 };
    for (const cells of this.drafts.values()) for (const { state } of cells.values()) counts[state] += 1;
    return counts;
  }

  /** Whether something is not saved, once what is on its way has had its answer. */
  async isUnsaved(): Promise<boolean> {
    for (let waited = 0; this.counts.sending > 0 && waited < PATIENCE; waited += LOOK) {
      await new Promise((resolve) => setTimeout(resolve, LOOK));
    }
    return this.drafts.size > 0;
  }

  /** The first cell that waits for a decision of the person. */
  get troubled(): { id: string; field: string } | undefined {
    for (const [id, cells] of this.drafts) {
      for (const [field, { state }] of cells) if (state === "refused" || state === "conflict") return { id, field };
    }
    return undefined;
  }

  get canUndo(): boolean {
    return this.done.length > 0;
  }

  get canRedo(): boolean {
    return this.undone.length > 0;
  }

  /** Change cells; it can be undone. */
  change(changes: readonly CellChange[]): void {
    const real = changes.filter(({ before, after }) => !same(before, after));
    if (real.length === 0) return;
    this.apply(real);
    this.did({
      undo: () => this.back(real.map(({ id, field, before, after }) => ({ id, field, before: after, after: before }))),
      redo: () => this.back(real),
    });
  }

  /** Something was done that can be undone. */
  did(step: Step): void {
    this.done = [...this.done.slice(-MOST_STEPS + 1), step];
    this.undone = [];
    this.tell();
  }

  /** Take back the last step; how many cells stay, since others have changed them. Undefined where there is none. */
  async undo(): Promise<number | undefined> {
    const step = this.done.pop();
    if (!step) return undefined;
    this.undone.push(step);
    const left = await step.undo();
    this.tell();
    return left;
  }

  async redo(): Promise<number | undefined> {
    const step = this.undone.pop();
    if (!step) return undefined;
    this.done.push(step);
    const left = await step.redo();
    this.tell();
    return left;
  }

  /** Let what was typed go. */
  discard(id: string, field: string): void {
    this.put(id, field, undefined);
    this.tell();
  }

  discardTroubled(): void {
    for (const [id, cells] of [...this.drafts]) {
      for (const [field, { state }] of cells) if (state === "refused" || state === "conflict") this.put(id, field, undefined);
    }
    this.tell();
  }

  /** Of a cell that somebody else has changed: write what was typed over it all the same. */
  insist(id: string, field: string): void {
    const draft = this.drafts.get(id)?.get(field);
    if (!draft) return;
    this.put(id, field, { value: draft.value, base: this.rows?.find(id)?.[field], state: "waiting" });
    this.tell();
    void this.flush();
  }

  /** A record came from the server, by another way than ours. */
  heard(record: TableRecord): void {
    this.rows?.replace(record);
    if (this.versions.has(record.id)) this.versions.set(record.id, record.version);
    for (const [field, draft] of this.drafts.get(record.id) ?? []) {
      if (draft.state !== "waiting" || same(draft.base, record[field])) continue;
      this.put(record.id, field, { ...draft, state: "conflict" });
    }
    this.tell();
  }

  private back(changes: readonly CellChange[]): number {
    const still: CellChange[] = [];
    let left = 0;
    for (const change of changes) {
      const record = this.rows?.find(change.id);
      const now = record && this.valueOf(record, change.field);
      if (!record || same(now, change.before)) still.push(change);
      else if (!same(now, change.after)) left += 1;
    }
    this.apply(still);
    return left;
  }

  private apply(changes: readonly CellChange[]): void {
    for (const { id, field, before, after } of changes) {
      const record = this.rows?.find(id);
      if (record) this.versions.set(id, Math.max(record.version, this.versions.get(id) ?? 0));
      const there = this.drafts.get(id)?.get(field);
      if (there?.state !== "sending" && record && same(record[field], after)) this.put(id, field, undefined);
      // Another's change came in while this one was typed.
      else if (!there && record && !same(record[field], before)) this.put(id, field, { value: after, base: before, state: "conflict" });
      else this.put(id, field, { value: after, base: there?.state === "refused" ? there.base : record ? record[field] : before, state: "waiting" });
    }
    this.tell();
    void this.flush();
  }

  private put(id: string, field: string, draft: Draft | undefined): void {
    const cells = new Map(this.drafts.get(id));
    if (draft) cells.set(field, draft);
    else cells.delete(field);
    if (cells.size > 0) this.drafts.set(id, cells);
    else this.drafts.delete(id);
  }

  /** Send what waits, one call after the other. */
  private async flush(): Promise<void> {
    if (this.sending || session.hasEnded) return;
    const batch = this.waiting();
    if (batch.size === 0) return;
    this.sending = true;
    clearTimeout(this.again);
    for (const [id, cells] of batch) for (const field of cells.keys()) this.mark(id, field, cells, "sending");
    this.tell();
    let reached = true;
    try {
      const changes = [...batch].map(([id, cells]) => {
        const version = this.versions.get(id);
        return { id, ...(version !== undefined && { version }), values: Object.fromEntries([...cells].map(([field, { value }]) => [field, value ?? null])) };
      });
      const { results } = await sendChanges(this.table, changes);
      let place = 0;
      for (const [id, cells] of batch) {
        const result = results[place];
        place += 1;
        if (result) await this.settle(id, cells, result);
      }
    } catch (error) {
      reached = this.failed(batch, error);
    } finally {
      this.sending = false;
    }
    this.tell();
    if (reached) void this.flush();
    else this.again = setTimeout(() => void this.flush(), AGAIN);
  }

  private waiting(): Map<string, Map<string, Draft>> {
    const batch = new Map<string, Map<string, Draft>>();
    for (const [id, cells] of this.drafts) {
      const own = [...cells].filter(([, { state }]) => state === "waiting");
      if (own.length > 0) batch.set(id, new Map(own));
      if (batch.size >= SLICE) break;
    }
    return batch;
  }

  /** Gives a draft of a batch another state, unless it was typed over meanwhile. */
  private mark(id: string, field: string, batch: Map<string, Draft>, state: Draft["state"], more: Partial<Draft> = {}): void {
    const draft = batch.get(field);
    if (!draft || this.drafts.get(id)?.get(field) !== draft) return;
    const next = { ...draft, ...more, state };
    batch.set(field, next);
    this.put(id, field, next);
  }

  private async settle(id: string, cells: Map<string, Draft>, { record, errors }: ChangeResult): Promise<void> {
    if (record) return this.took(id, cells, record);
    if (errors.some(({ code }) => code === "RECORD_VERSION_CONFLICT")) return this.overtaken(id, cells);
    const placed = errors.filter(({ pointer }) => cells.has(pointer?.split("/")[1] ?? ""));
    for (const field of [...cells.keys()]) {
      const own = placed.filter(({ pointer }) => pointer?.split("/")[1] === field);
      const said = placed.length > 0 ? own : errors;
      // What is right beside what is wrong goes again by itself.
      if (said.length > 0) this.mark(id, field, cells, "refused", { message: said.map(({ message }) => message).join("\n") });
      else this.mark(id, field, cells, "waiting");
    }
  }

  private took(id: string, cells: Map<string, Draft>, record: TableRecord): void {
    this.versions.set(id, record.version);
    this.rows?.replace(record);
    for (const [field, draft] of cells) {
      const now = this.drafts.get(id)?.get(field);
      if (now === draft) this.put(id, field, undefined);
      else if (now) this.put(id, field, { ...now, base: record[field] });
    }
  }

  /** Somebody else has changed the record: what they left alone is sent again, what they changed is told. */
  private async overtaken(id: string, cells: Map<string, Draft>): Promise<void> {
    const { data } = await api.GET("/tables/{tableId}/records/{recordId}", { params: { path: { tableId: this.table, recordId: id } } });
    const record = data as unknown as TableRecord;
    this.versions.set(id, record.version);
    this.rows?.replace(record);
    for (const [field, draft] of [...cells]) {
      const theirs = record[field];
      if (same(theirs, draft.value)) this.put(id, field, undefined);
      else this.mark(id, field, cells, same(theirs, draft.base) ? "waiting" : "conflict");
    }
  }

  /** Whether it makes sense to go on at once. */
  private failed(batch: Map<string, Map<string, Draft>>, error: unknown): boolean {
    const later = error instanceof NetworkError || (error instanceof ApiError && ([401, 429].includes(error.status) || error.status >= 500));
    const message = error instanceof Error ? error.message : String(error);
    for (const [id, cells] of batch) {
      for (const field of [...cells.keys()]) this.mark(id, field, cells, later ? "waiting" : "refused", later ? {} : { message });
    }
    return !later;
  }

  private tell(): void {
    this.version += 1;
    for (const listener of this.listeners) listener();
  }
}
