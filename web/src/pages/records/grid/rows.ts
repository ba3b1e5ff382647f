/** The records of a list, wherever one looks: pages around what is shown, and no others. */
import { api, got } from "@/api/client";
import { ApiError, NetworkError } from "@/api/errors";
import type { Page } from "@/components/List";
import { connection } from "@/live/connection";
import type { TableRecord } from "../types";

export interface Search {
  filter?: unknown;
  text?: string;
  sort?: string[];
  /** Relation fields whose records come along. */
  include?: string[];
}

export const PAGE = 200;
const KEPT_PAGES = 100;
const AT_ONCE = 2;
const BUSY = 2_000;
const SOON_COUNTED = 10_000;
const MOST_COUNTED = 5_000_000;
/** Milliseconds. */
const NOTICED = 400;
/** Milliseconds somebody stays at a list before it is counted to its end: who types a word passes many lists. */
const STAYING = 2_000;

/** A page is read on from the one before where that is known, and by a jump from the nearest one where it is not. */
export class Rows {
  private readonly pages = new Map<number, readonly TableRecord[]>();
  private readonly starts = new Map<number, string>([[0, ""]]);
  private readonly places = new Map<string, number>();
  private readonly loading = new Set<number>();
  private readonly stale = new Set<number>();
  private readonly listeners = new Set<() => void>();
  private readonly deleted = new Set<string>();
  /** What people call the records that relations point to, by their ids. */
  readonly names = new Map<string, string>();
  private wanted: readonly number[] = [];
  private counted = { count: 0, exact: false };
  private stopped = new AbortController();
  private version = 0;
  private outline = "";
  private failure: unknown;
  private longest = 0;

  constructor(
    readonly table: string,
    readonly search: Search,
  ) {}

  /** Begin; the answer ends it. */
  open(): () => void {
    this.stopped = new AbortController();
    const away = connection.subscribe(() => connection.isOnline && this.pump());
    this.want(0, PAGE - 1);
    void this.count();
    return () => {
      away();
      this.stopped.abort();
      this.loading.clear();
    };
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  getVersion = (): number => this.version;

  /** Another text as soon as more has changed than records: how many there are, an error, that it is slow. */
  getOutline = (): string => this.outline;

  /** How many rows can be scrolled to: where the end is not known, some more than are known. */
  get size(): number {
    return this.counted.exact ? this.counted.count : this.counted.count + (this.pages.size > 0 || this.counted.count > 0 ? PAGE : 0);
  }

  get total(): { count: number; exact: boolean } {
    return this.counted;
  }

  get error(): unknown {
    return this.failure;
  }

  /** Whether a page of it took longer than people notice. */
  get isSlow(): boolean {
    return this.longest > NOTICED;
  }

  get isReady(): boolean {
    return this.pages.size > 0;
  }

  get(row: number): TableRecord | undefined {
    return this.pages.get(Math.floor(row / PAGE))?.[row % PAGE];
  }

  find(id: string): TableRecord | undefined {
    const row = this.places.get(id);
    return row === undefined ? undefined : this.get(row);
  }

  rowOf(id: string): number | undefined {
    return this.places.get(id);
  }

  isDeleted(id: string): boolean {
    return this.deleted.has(id);
  }

  /** Load what these rows need, before anything else that is wanted. */
  want(first: number, last: number): void {
    const wanted: number[] = [];
    for (let page = Math.floor(first / PAGE); page <= Math.floor(last / PAGE); page += 1) wanted.push(page);
    this.wanted = wanted;
    this.pump();
  }

  /** These rows, once they are there; fewer where the list ends before. */
  async ensure(first: number, last: number): Promise<(TableRecord | undefined)[]> {
    for (let page = Math.floor(first / PAGE); page <= Math.floor(last / PAGE); page += 1) {
      if (this.counted.exact && page * PAGE >= this.counted.count) break;
      if (!this.pages.has(page)) await this.load(page, true);
    }
    return Array.from({ length: last - first + 1 }, (_, place) => this.get(first + place));
  }

  /** A record as it is now; where it stands is left alone, so that nothing moves under the reader. */
  replace(record: TableRecord): void {
    const row = this.places.get(record.id);
    const page = row === undefined ? undefined : this.pages.get(Math.floor(row / PAGE));
    if (row === undefined || !page) return;
    this.pages.set(Math.floor(row / PAGE), page.with(row % PAGE, record));
    this.deleted.delete(record.id);
    this.tell();
  }

  /** A record was deleted: it stays where it is, struck out, until the list is read anew. */
  remove(id: string): void {
    if (!this.places.has(id)) return;
    this.deleted.add(id);
    this.tell();
  }

  /** Read everything anew; what is shown stays until the answer is there. */
  reload(): void {
    for (const page of this.pages.keys()) this.stale.add(page);
    this.starts.clear();
    this.starts.set(0, "");
    this.deleted.clear();
    this.failure = undefined;
    this.longest = 0;
    this.pump();
    void this.count();
  }

  private pump(): void {
    for (const page of this.wanted) {
      if (this.loading.size >= AT_ONCE) return;
      if (this.isThere(page) || this.loading.has(page) || (this.counted.exact && page > 0 && page * PAGE >= this.counted.count)) continue;
      void this.load(page, false);
    }
  }

  private isThere(page: number): boolean {
    return this.pages.has(page) && !this.stale.has(page);
  }

  private async load(page: number, told: boolean): Promise<void> {
    const { signal } = this.stopped;
    let from = page;
    while (!this.starts.has(from)) from -= 1;
    const after = this.starts.get(from);
    this.loading.add(page);
    const began = performance.now();
    try {
      const answer = (await got(
        api.POST("/tables/{tableId}/records/search", {
          params: { path: { tableId: this.table } },
          body: { ...this.search, limit: PAGE, skip: (page - from) * PAGE, ...(after && { after }) } as never,
          signal,
        }),
      )) as unknown as Page<TableRecord>;
      if (signal.aborted) return;
      this.longest = Math.max(this.longest, performance.now() - began);
      this.keep(page, answer);
    } catch (error) {
      if (signal.aborted) return;
      if (told) throw error;
      // Where the server was not reached, the page comes as soon as it is; where it was busy, a moment later.
      if (error instanceof ApiError && (error.status === 429 || error.status >= 500)) setTimeout(() => !signal.aborted && this.pump(), BUSY);
      else if (!(error instanceof NetworkError)) this.failure = error;
      this.tell();
      return;
    } finally {
      this.loading.delete(page);
    }
    this.pump();
  }

  private keep(page: number, { data, next }: Page<TableRecord>): void {
    for (const old of this.pages.get(page) ?? []) this.places.delete(old.id);
    this.pages.set(page, data);
    this.stale.delete(page);
    this.failure = undefined;
    data.forEach((record, place) => this.places.set(record.id, page * PAGE + place));
    for (const record of data) this.learn(record["included"]);
    if (next) this.starts.set(page + 1, next);
    const end = page * PAGE + data.length;
    if (!next) {
      if (data.length > 0 || page === 0) this.counted = { count: end, exact: true };
      else this.counted = { count: Math.min(this.counted.count, page * PAGE), exact: false };
    } else if (!this.counted.exact && this.counted.count < end) this.counted = { count: end, exact: false };
    this.forgetFar(page);
    this.tell();
  }

  private learn(included: unknown): void {
    for (const related of Object.values((included ?? {}) as Record<string, TableRecord | null>)) {
      if (related) this.names.set(related.id, plainName(related));
    }
  }

  private forgetFar(page: number): void {
    if (this.pages.size <= KEPT_PAGES) return;
    const far = [...this.pages.keys()].sort((one, other) => Math.abs(other - page) - Math.abs(one - page))[0];
    if (far === undefined) return;
    for (const record of this.pages.get(far) ?? []) this.places.delete(record.id);
    this.pages.delete(far);
  }

  /** Quickly up to some thousands, which most lists do not have; then to the end, while people read. */
  private async count(): Promise<void> {
    const { signal } = this.stopped;
    const { filter, text } = this.search;
    try {
      for (const upTo of [SOON_COUNTED, MOST_COUNTED]) {
        const found = await got(
          api.POST("/tables/{tableId}/records/count", {
            params: { path: { tableId: this.table } },
            body: { ...(filter !== undefined && { filter }), ...(text && { text }), upTo },
            signal,
          }),
        );
        if (signal.aborted) return;
        this.counted = found;
        this.tell();
        if (found.exact) return;
        await staying(signal);
      }
    } catch {
      // A count that takes too long leaves the list without one.
    }
  }

  private tell(): void {
    this.version += 1;
    this.outline = [this.size, this.counted.exact, this.isReady, this.isSlow, String(this.failure)].join();
    for (const listener of this.listeners) listener();
  }
}

/** Ends after a while; is refused if the list is left before. */
async function staying(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const waited = setTimeout(resolve, STAYING);
    signal.addEventListener("abort", () => {
      clearTimeout(waited);
      reject(new Error("left"));
    });
  });
}

const SERVERS = new Set(["id", "createdAt", "updatedAt"]);

/** What people call a record whose table is not at hand: its first text. */
export function plainName(record: TableRecord): string {
  const found = Object.entries(record).find(([name, value]) => !SERVERS.has(name) && typeof value === "string" && value.trim() !== "");
  return typeof found?.[1] === "string" ? found[1] : record.id.slice(0, 8);
}
