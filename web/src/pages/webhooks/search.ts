export const STATUSES = ["PENDING", "DELIVERED", "FAILED"] as const;
export type DeliveryStatus = (typeof STATUSES)[number];

export const TABS = ["endpoints", "deliveries", "events", "signature", "version1"] as const;
export type Tab = (typeof TABS)[number];

export interface WebhooksSearch {
  tab?: Exclude<Tab, "endpoints">;
  status?: DeliveryStatus;
  /** The delivery whose attempts are shown. */
  delivery?: string;
}

/** What of an address is meant; the rest is let go. */
export function readSearch(given: Record<string, unknown>): WebhooksSearch {
  const status = STATUSES.find((one) => one === given["status"]);
  const tab = TABS.find((one) => one === given["tab"]);
  return {
    ...(tab && tab !== "endpoints" && { tab }),
    ...(status && { status }),
    ...(typeof given["delivery"] === "string" && { delivery: given["delivery"] }),
  };
}
