import { queryOptions } from "@tanstack/react-query";

import { api, got } from "@/api/client";
import type { Schema } from "@/builder/schema";

/** The published JSON Schema of definitions, with the step kinds that are installed. */
export const schemaQuery = queryOptions({
  queryKey: ["definitions", "schema"],
  queryFn: async () => await got<Schema>(api.GET("/schemas/definition.json") as Promise<{ data?: Schema }>),
  staleTime: Infinity,
});

/** What the server says of a text that is not kept. It is no word on what is kept: what changes there asks for nothing
 * of `builder` anew. */
export const checkQuery = (text: string) =>
  queryOptions({
    queryKey: ["builder", "check", text],
    queryFn: () => got(api.POST("/definitions/check", { body: text, bodySerializer: (body) => body, headers: { "Content-Type": "application/yaml" } })),
    staleTime: Infinity,
    gcTime: 60_000,
  });

export const tablesQuery = queryOptions({
  queryKey: ["tables", "for-builder"],
  queryFn: () => got(api.GET("/tables", { params: { query: { limit: 500 } } })),
  staleTime: 60_000,
  retry: false,
});

/** Whether definitions come from files only. */
export const sourceQuery = queryOptions({
  queryKey: ["definitions", "source"],
  queryFn: () => got(api.GET("/definitions/source")),
  staleTime: 60_000,
});

/** Every revision of a definition, the newest first. */
export const revisionsQuery = (definitionId: string) =>
  queryOptions({
    queryKey: ["definitions", definitionId, "revisions"],
    queryFn: () => got(api.GET("/definitions/{definitionId}/revisions", { params: { path: { definitionId } } })),
  });

export const draftsQuery = (definitionId?: string) =>
  queryOptions({
    queryKey: ["drafts", "list", definitionId ?? "all"],
    queryFn: () => got(api.GET("/drafts", { params: { query: definitionId ? { definitionId } : {} } })),
  });

export const draftQuery = (draftId: string) =>
  queryOptions({
    queryKey: ["drafts", draftId],
    queryFn: () => got(api.GET("/drafts/{draftId}", { params: { path: { draftId } } })),
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
  });
