import { dayBegins, dayEnds } from "@/components/times";

/** The filters of the audit, as they stand in its address. */
export const OUTCOMES = ["done", "refused", "failed"] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface AuditSearch {
  /** Of the organization instead of the workspace. */
  of?: "organization";
  outcome?: Outcome;
  action?: string;
  kind?: string;
  actor?: string;
  object?: string;
  text?: string;
  /** A day, in the person's zone: `2026-11-29`. */
  from?: string;
  until?: string;
  /** The entry that is open. */
  entry?: string;
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const TEXTS = { action: 100, kind: 100, actor: 100, object: 300, text: 200, entry: 100 } as const;

/** What of an address is meant; the rest is let go. */
export function readAuditSearch(given: Record<string, unknown>): AuditSearch {
  const search: AuditSearch = {};
  if (given["of"] === "organization") search.of = "organization";
  const outcome = OUTCOMES.find((one) => one === given["outcome"]);
  if (outcome) search.outcome = outcome;
  for (const [name, longest] of Object.entries(TEXTS)) {
    const value = given[name];
    // An address turns what looks like a number into one.
    const text = typeof value === "number" ? String(value) : value;
    if (typeof text === "string" && text.trim() && text.length <= longest) search[name as keyof typeof TEXTS] = text;
  }
  for (const name of ["from", "until"] as const) {
    const value = given[name];
    if (typeof value === "string" && DAY.test(value)) search[name] = value;
  }
  return search;
}

/** The filters as the API takes them. Days are whole days of the person's zone. */
export function asAuditQuery({ from, until, ...same }: Omit<AuditSearch, "entry">, timeZone?: string) {
  return {
    ...same,
    ...(from && { since: dayBegins(from, timeZone).toISOString() }),
    ...(until && { until: dayEnds(until, timeZone).toISOString() }),
  };
}
