import { queryOptions } from "@tanstack/react-query";

import { api, got } from "@/api/client";

/** One execution. */
export const executionQuery = (id: string) =>
  queryOptions({
    queryKey: ["executions", id],
    queryFn: () => got(api.GET("/workflows/{workflowId}", { params: { path: { workflowId: id } } })),
  });

/** Every attempt of its steps. */
export const timelineQuery = (id: string) =>
  queryOptions({
    queryKey: ["executions", id, "timeline"],
    queryFn: () => got(api.GET("/workflows/{workflowId}/timeline", { params: { path: { workflowId: id } } })),
  });

/** The flow of its revision; it changes only when the execution is moved. */
export const graphQuery = (id: string) =>
  queryOptions({
    queryKey: ["executions", id, "graph"],
    queryFn: () => got(api.GET("/workflows/{workflowId}/graph", { params: { path: { workflowId: id } } })),
    staleTime: 60_000,
  });
