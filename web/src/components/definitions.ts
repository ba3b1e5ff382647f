import { queryOptions } from "@tanstack/react-query";

import { api, got } from "@/api/client";

/** The definitions that a filter offers. */
export const definitionChoiceQuery = queryOptions({
  queryKey: ["definitions", "choice"],
  queryFn: () => got(api.GET("/definitions", { params: { query: { limit: 500 } } })),
  staleTime: 60_000,
});
