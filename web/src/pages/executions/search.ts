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
  /** A day, in the person's zone: `2026-11-29`. */
  from?: string;
  until?: string;
  revision?: number;
}

const ID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/i;
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
  take("from", DAY);
  take("until", DAY);
  const revision = given["revision"];
  if (typeof revision === "number" && Number.isInteger(revision) && revision > 0) search.revision = revision;
  return search;
}

/** The filters as the API takes them. Days are whole days of the browser's zone. */
export function asQuery(search: ExecutionSearch) {
  const until = search.until ? new Date(`${search.until}T00:00`) : undefined;
  until?.setDate(until.getDate() + 1);
  return {
    ...(search.status && { status: search.status }),
    ...(search.definition && { workflowDefinitionId: search.definition }),
    ...(search.revision && { revision: search.revision }),
    ...(search.record && { recordId: search.record }),
    ...(search.error && { errorCode: search.error }),
    ...(search.waiting && { waitingFor: search.waiting }),
    ...(search.from && { createdFrom: new Date(`${search.from}T00:00`).toISOString() }),
    ...(until && { createdBefore: until.toISOString() }),
  };
}
