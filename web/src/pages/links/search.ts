export const TABS = ["links", "website", "theme"] as const;
export type Tab = (typeof TABS)[number];

export interface LinksSearch {
  tab?: Exclude<Tab, "links">;
  definition?: string;
}

const ID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/i;

/** What of an address is meant; the rest is let go. */
export function readSearch(given: Record<string, unknown>): LinksSearch {
  const tab = TABS.find((one) => one === given["tab"]);
  return {
    ...(tab && tab !== "links" && { tab }),
    ...(typeof given["definition"] === "string" && ID.test(given["definition"]) && { definition: given["definition"] }),
  };
}
