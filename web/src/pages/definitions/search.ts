export const TABS = ["text", "changes", "scenarios", "move"] as const;
export type Tab = (typeof TABS)[number];

export interface DefinitionSearch {
  tab?: Exclude<Tab, "text">;
  /** The revision that is looked at, or compared to. */
  revision?: number;
  /** The revision that it is compared with. */
  from?: number;
  /** The proposal that is being decided. */
  proposal?: string;
}

const ID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/i;

/** What of an address is meant; the rest is let go. */
export function readSearch(given: Record<string, unknown>): DefinitionSearch {
  const tab = TABS.find((one) => one === given["tab"]);
  const number = (name: string) => (Number.isInteger(given[name]) && (given[name] as number) > 0 ? (given[name] as number) : undefined);
  const proposal = given["proposal"];
  const [revision, from] = [number("revision"), number("from")];
  return {
    ...(tab && tab !== "text" && { tab }),
    ...(revision !== undefined && { revision }),
    ...(from !== undefined && { from }),
    ...(typeof proposal === "string" && ID.test(proposal) && { proposal }),
  };
}
