import { queryOptions } from "@tanstack/react-query";

import { api, got, type Schemas } from "@/api/client";

export type Proposal = Schemas["ProposalAnswer"];
export type Revision = Schemas["RevisionAnswer"];
export type KeptScenarios = Schemas["ScenariosAnswer"];

/** A revision with its text; it never changes. */
export const revisionQuery = (definitionId: string, revision: number) =>
  queryOptions({
    queryKey: ["definitions", definitionId, "revision", revision],
    queryFn: () =>
      got(api.GET("/definitions/{definitionId}/revisions/{revision}", { params: { path: { definitionId, revision } } })),
    staleTime: Infinity,
  });

/** The scenarios that are kept with a definition. */
export const scenariosQuery = (definitionId: string) =>
  queryOptions({
    queryKey: ["definitions", definitionId, "scenarios"],
    queryFn: () => got(api.GET("/definitions/{definitionId}/scenarios", { params: { path: { definitionId } } })),
  });

/** Keep scenarios with a definition; `version`: of those that they take the place of. */
export function keepScenarios(definitionId: string, scenarios: string, version: number) {
  return got(api.PUT("/definitions/{definitionId}/scenarios", { params: { path: { definitionId } }, body: { scenarios, version } }));
}

/** Whether publishing needs a second person here. */
export const publishingQuery = queryOptions({
  queryKey: ["publishing"],
  queryFn: () => got(api.GET("/publishing")),
});

/** The newest proposals, of one definition or of all. */
export const proposalsQuery = (definitionId?: string) =>
  queryOptions({
    queryKey: ["proposals", "list", definitionId ?? "all"],
    queryFn: () => got(api.GET("/proposals", { params: { query: { limit: 50, ...(definitionId && { definitionId }) } } })),
  });

/** Whether a proposal still waits for somebody. */
export const waits = (proposal: Proposal): boolean => proposal.status === "open" || proposal.status === "stale";
