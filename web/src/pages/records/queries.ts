import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";

import { api, got } from "@/api/client";
import type { Page } from "@/components/List";
import { asBody, type RecordsSearch } from "./search";
import type { Table, TableRecord } from "./types";

const LIMIT = 50;
/** Milliseconds that people notice. */
const NOTICED = 400;

/** A page of a search, and whether somebody had to wait for it. */
export interface TimedPage extends Page<TableRecord> {
  isSlow: boolean;
}

/** One page of a search. */
export async function searchPage(table: Table, body: object): Promise<TimedPage> {
  const began = performance.now();
  const page = (await got(api.POST("/tables/{tableId}/records/search", { params: { path: { tableId: table.name } }, body: body as never }))) as unknown as Page<TableRecord>;
  return { ...page, isSlow: performance.now() - began > NOTICED };
}

export interface Versioned {
  record: TableRecord;
  /** Names the version that was read: a change of another one is refused. */
  etag: string;
}

export const tablesQuery = queryOptions({
  queryKey: ["records", "tables"],
  queryFn: async () => (await got(api.GET("/tables", { params: { query: { limit: 500 } } }))).data as unknown as Table[],
});

export const tableQuery = (table: string) =>
  queryOptions({
    queryKey: ["records", table, "table"],
    queryFn: async () => (await got(api.GET("/tables/{tableId}", { params: { path: { tableId: table } } }))) as unknown as Table,
    staleTime: 30_000,
  });

export const recordsQuery = (table: Table, search: RecordsSearch) =>
  infiniteQueryOptions({
    queryKey: ["records", table.name, "list", search],
    queryFn: ({ pageParam }) => searchPage(table, { ...asBody(search, table.fields), limit: LIMIT, ...(pageParam && { after: pageParam }) }),
    initialPageParam: "",
    getNextPageParam: (page: TimedPage) => page.next ?? undefined,
  });

export const recordQuery = (table: string, recordId: string) =>
  queryOptions({
    queryKey: ["records", table, recordId],
    queryFn: async (): Promise<Versioned> => {
      const { data, response } = await api.GET("/tables/{tableId}/records/{recordId}", {
        params: { path: { tableId: table, recordId } },
      });
      return { record: data as unknown as TableRecord, etag: response.headers.get("ETag") ?? "" };
    },
  });

export const historyQuery = (table: string, recordId: string) =>
  queryOptions({
    queryKey: ["records", table, recordId, "history"],
    queryFn: () =>
      got(api.GET("/tables/{tableId}/records/{recordId}/history", { params: { path: { tableId: table, recordId }, query: { limit: 100 } } })),
  });

export const commentsQuery = (table: string, recordId: string) =>
  queryOptions({
    queryKey: ["records", table, recordId, "comments"],
    queryFn: () =>
      got(api.GET("/tables/{tableId}/records/{recordId}/comments", { params: { path: { tableId: table, recordId }, query: { limit: 100 } } })),
  });

export const attachmentsQuery = (table: string, recordId: string) =>
  queryOptions({
    queryKey: ["records", table, recordId, "attachments"],
    queryFn: () =>
      got(
        api.GET("/tables/{tableId}/records/{recordId}/attachments", { params: { path: { tableId: table, recordId }, query: { limit: 100 } } }),
      ),
  });

export const executionsQuery = (table: string, recordId: string) =>
  queryOptions({
    queryKey: ["records", table, recordId, "executions"],
    queryFn: () =>
      got(
        api.GET("/tables/{tableId}/records/{recordId}/workflows", { params: { path: { tableId: table, recordId }, query: { limit: 100 } } }),
      ),
  });
