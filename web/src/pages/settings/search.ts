/** What the address of a section says. */
export const INVITATION_STATUSES = ["PENDING", "ACCEPTED", "EXPIRED", "CANCELLED"] as const;
export type InvitationStatus = (typeof INVITATION_STATUSES)[number];

export interface InvitationsSearch {
  /** Which invitations are shown; those that are open where it says nothing. */
  invitations?: InvitationStatus;
}

export function parseInvitationsSearch(search: Record<string, unknown>): InvitationsSearch {
  const found = INVITATION_STATUSES.find((status) => status === search["invitations"]);
  return found ? { invitations: found } : {};
}

export const USER_STATUSES = ["ACTIVE", "TERMINATED"] as const;
export const ORGANIZATION_ROLES = ["owner", "admin", "member"] as const;

export interface MembersSearch {
  search?: string;
  role?: (typeof ORGANIZATION_ROLES)[number];
  status?: (typeof USER_STATUSES)[number];
  /** From 0. */
  page?: number;
}

const LONGEST = 200;
const LAST_PAGE = 100_000;

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() ? value.slice(0, LONGEST) : typeof value === "number" ? String(value) : undefined;
}

function pageOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isInteger(value) && value > 0 && value <= LAST_PAGE ? value : undefined;
}

/** Without the names that nothing is said for. */
function given<T extends object>(found: { [Name in keyof T]: T[Name] | undefined }): T {
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined)) as T;
}

export function parseMembersSearch(search: Record<string, unknown>): MembersSearch {
  return given<MembersSearch>({
    search: textOf(search["search"]),
    role: ORGANIZATION_ROLES.find((role) => role === search["role"]),
    status: USER_STATUSES.find((status) => status === search["status"]),
    page: pageOf(search["page"]),
  });
}

export interface AccessSearch {
  search?: string;
  role?: string;
  page?: number;
}

export function parseAccessSearch(search: Record<string, unknown>): AccessSearch {
  return given<AccessSearch>({ search: textOf(search["search"]), role: textOf(search["role"]), page: pageOf(search["page"]) });
}

export interface ListsSearch {
  /** The list whose versions are shown. */
  list?: string;
}

export function parseListsSearch(search: Record<string, unknown>): ListsSearch {
  return given<ListsSearch>({ list: textOf(search["list"]) });
}

export interface ErasureSearch {
  search?: string;
}

export function parseErasureSearch(search: Record<string, unknown>): ErasureSearch {
  return given<ErasureSearch>({ search: textOf(search["search"]) });
}

export interface ApiSearch {
  /** The operation that is open. */
  call?: string;
  search?: string;
}

export function parseApiSearch(search: Record<string, unknown>): ApiSearch {
  return given<ApiSearch>({ call: textOf(search["call"]), search: textOf(search["search"]) });
}
