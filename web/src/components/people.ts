import { queryOptions } from "@tanstack/react-query";

import { api, got, type Schemas } from "@/api/client";

export type Colleague = Schemas["ColleagueAnswer"];

/** Everybody who works in the workspace. */
export const peopleQuery = queryOptions({
  queryKey: ["people"],
  queryFn: () => got(api.GET("/people")),
  staleTime: 300_000,
});
