/** What the queue is narrowed by, as it stands in its address; the case keeps it for the way to the next one. */
export const WHOSE = ["mine", "taken", "free", "all"] as const;
/** `mine`: that I may decide; `taken`: that I have taken; `free`: that nobody has; `all`: also those that others decide. */
export type Whose = (typeof WHOSE)[number];

export interface ReviewSearch {
  whose?: Exclude<Whose, "mine">;
  definition?: string;
}

const ID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/i;

export function readReviewSearch(given: Record<string, unknown>): ReviewSearch {
  const whose = WHOSE.find((one) => one === given["whose"]);
  return {
    ...(whose && whose !== "mine" && { whose }),
    ...(typeof given["definition"] === "string" && ID.test(given["definition"]) && { definition: given["definition"] }),
  };
}

/** The same for the API. */
export function reviewFilters(search: ReviewSearch, me: string) {
  return {
    mine: search.whose !== "all",
    ...(search.whose === "taken" && { takenBy: me }),
    ...(search.whose === "free" && { takenBy: "nobody" as const }),
    ...(search.definition && { workflowDefinitionId: search.definition }),
  };
}
