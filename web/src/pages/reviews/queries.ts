import { queryOptions } from "@tanstack/react-query";

import { api, got, type Schemas } from "@/api/client";
import { reviewFilters, type ReviewSearch } from "./search";

export type Review = Schemas["ReviewAnswer"];

/** What somebody decided. */
export interface Vote {
  outcome: string;
  comment?: string | null;
  at: string;
  by: { id: string; name: string };
}

const MOST = 200;

/** The queue: what waits for a decision, the oldest first. */
export const queueQuery = (search: ReviewSearch, me: string) =>
  queryOptions({
    queryKey: ["reviews", "queue", search],
    queryFn: () => got(api.GET("/reviews", { params: { query: { ...reviewFilters(search, me), limit: MOST } } })),
  });

/** One execution's open reviews. */
export const reviewQuery = (workflowId: string) =>
  queryOptions({
    queryKey: ["reviews", workflowId],
    queryFn: () => got(api.GET("/reviews", { params: { query: { workflowId, limit: MOST } } })),
  });

/** The steps of the case; with personal data where this person may see it. */
export const caseQuery = (workflowId: string, personal: boolean) =>
  queryOptions({
    queryKey: ["reviews", workflowId, "case", personal],
    queryFn: () =>
      got(api.GET("/workflows/{workflowId}/timeline", { params: { path: { workflowId }, query: { personal } } })),
  });

/** Where the answer is kept of having asked the end user again: its link is shown once. */
export const askedKey = (workflowId: string) => ["asked", workflowId];
