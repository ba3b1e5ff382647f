import { dayBegins, dayEnds } from "@/components/times";

/** The filters of the list, as they stand in its address. */
export const STATUSES = ["RUNNING", "AWAITING", "COMPLETED", "FAILED", "EXPIRED", "CANCELLED"] as const;
export const WAITS = ["form", "consent", "upload", "review", "event", "wait", "workflow", "retry"] as const;

export type StatusName = (typeof STATUSES)[number];

export interface ExecutionSearch {
  status?: StatusName;
  definition?: string;
  record?: string;
  error?: string;
  waiting?: string;
  step?: string;
  /** A day, in the person's zone: `2026-11-29`. */
  from?: string;
  until?: string;
  revision?: number;
}

const ID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/i;
const STEP = /^[\w.[\]-]{1,200}$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const CODE = /^[A-Za-z0-9_.:-]{1,200}$/;

/** What of an address is a filter; the rest is let go. */
export function readSearch(given: Record<string, unknown>): ExecutionSearch {
  const search: ExecutionSearch = {};
  const status = STATUSES.find((one) => one === given["status"]);
  if (status) search.status = status;
  const take = (name: Exclude<keyof ExecutionSearch, "status" | "revision">, form: RegExp) => {
    const value = given[name];
    if (typeof value === "string" && form.test(value)) search[name] = value;
  };
  take("definition", ID);
  take("record", ID);
  take("error", CODE);
  take("waiting", CODE);
  take("step", STEP);
  take("from", DAY);
  take("until", DAY);
  const revision = given["revision"];
  if (typeof revision === "number" && Number.isInteger(revision) && revision > 0) search.revision = revision;
  return search;
}

/** The filters as the API takes them. Days are whole days of the person's zone. */
export function asQuery(search: ExecutionSearch, timeZone?: string) {
  return {
    ...(search.status && { status: search.status }),
    ...(search.definition && { workflowDefinitionId: search.definition }),
    ...(search.revision && { revision: search.revision }),
    ...(search.record && { recordId: search.record }),
    ...(search.error && { errorCode: search.error }),
    ...(search.waiting && { waitingFor: search.waiting }),
    ...(search.step && { step: search.step }),
    ...(search.from && { createdFrom: dayBegins(search.from, timeZone).toISOString() }),
    ...(search.until && { createdBefore: dayEnds(search.until, timeZone).toISOString() }),
  };
}
