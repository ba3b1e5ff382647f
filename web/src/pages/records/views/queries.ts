import { queryOptions } from "@tanstack/react-query";

import { api, got, type Schemas } from "@/api/client";

export type View = Schemas["ViewAnswer"];

/** Saved views of a page: one's own and those that are shared. */
export const viewsQuery = (page: string) =>
  queryOptions({
    queryKey: ["views", page],
    queryFn: async () => (await got(api.GET("/views", { params: { query: { page } } }))).data,
    staleTime: 30_000,
  });
