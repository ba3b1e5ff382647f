import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";

import { api, got, type Schemas } from "@/api/client";
import type { Page } from "@/components/List";
import type { AccessSearch, InvitationStatus, MembersSearch } from "./search";

const LIMIT = 50;

export type Key = Schemas["KeyAnswer"];
export type Secret = Schemas["SecretAnswer"];
export type User = Schemas["UserAnswer"];
export type Invitation = Schemas["EnrollmentAnswer"];
export type Account = Schemas["MeAnswer"];
export type Session = Schemas["SessionAnswer"];
export type Member = Schemas["MembershipAnswer"];
export type WorkspaceRole = Schemas["RoleAnswer"];
export type Provider = Schemas["ProviderAnswer"];

/** Who is signed in, with all that one may change about oneself. */
export const accountQuery = queryOptions({ queryKey: ["settings", "account"], queryFn: () => got(api.GET("/me")) });

export const sessionsQuery = queryOptions({ queryKey: ["settings", "sessions"], queryFn: () => got(api.GET("/me/sessions")) });

/** Every permission of this workspace, and whether one has it. */
export const permissionsHereQuery = (workspaceId: string) =>
  queryOptions({
    queryKey: ["settings", "permissions", workspaceId],
    queryFn: async () => {
      const { workspaces } = await got(api.GET("/me/permissions"));
      return workspaces.find((one) => one.workspaceId === workspaceId)?.permissions ?? [];
    },
  });

export const keysQuery = infiniteQueryOptions({
  queryKey: ["settings", "keys"],
  queryFn: ({ pageParam }) => got(api.GET("/keys", { params: { query: { limit: LIMIT, ...(pageParam && { after: pageParam }) } } })),
  initialPageParam: "",
  getNextPageParam: (page: Page<Key>) => page.next ?? undefined,
});

export const secretsQuery = infiniteQueryOptions({
  queryKey: ["settings", "secrets"],
  queryFn: ({ pageParam }) => got(api.GET("/secrets", { params: { query: { limit: LIMIT, ...(pageParam && { after: pageParam }) } } })),
  initialPageParam: "",
  getNextPageParam: (page: Page<Secret>) => page.next ?? undefined,
});

interface Numbered<Row> {
  content: Row[];
  number: number;
  totalPages: number;
}

/** A page that says its number, as those with a cursor look. */
function paged<Row>({ content, number, totalPages }: Numbered<Row>): Page<Row> {
  return { data: content, next: number + 1 < totalPages ? String(number + 1) : null };
}

export const PAGE_SIZE = 50;

/** A page of the organization's users. */
export const usersQuery = ({ search, role, status, page = 0 }: MembersSearch) =>
  queryOptions({
    queryKey: ["settings", "users", search, role, status, page],
    queryFn: () =>
      got(
        api.GET("/organizations/users", {
          params: { query: { page, size: PAGE_SIZE, ...(search && { search }), ...(role && { roleId: role }), ...(status && { status }) } },
        }),
      ),
    placeholderData: keepPreviousData,
  });

/** A page of those who come into a workspace. */
export const accessQuery = (workspaceId: string, { search, role, page = 0 }: AccessSearch) =>
  queryOptions({
    queryKey: ["settings", "access", workspaceId, search, role, page],
    queryFn: () =>
      got(
        api.GET("/organizations/workspaces/{workspaceId}/memberships", {
          params: { path: { workspaceId }, query: { page, size: PAGE_SIZE, ...(search && { search }), ...(role && { roleId: role }) } },
        }),
      ),
    placeholderData: keepPreviousData,
  });

/** The roles of a workspace: those that are built in, and its own. */
export const workspaceRolesQuery = (workspaceId: string) =>
  queryOptions({
    queryKey: ["settings", "workspaceRoles", workspaceId],
    queryFn: async () => (await got(api.GET("/workspaces/{workspaceId}/roles", { params: { path: { workspaceId }, query: { size: 500 } } }))).content,
  });

export const passkeysQuery = queryOptions({ queryKey: ["settings", "passkeys"], queryFn: async () => (await got(api.GET("/me/passkeys"))).data });

export const providersQuery = queryOptions({ queryKey: ["settings", "providers"], queryFn: () => got(api.GET("/organizations/identity-providers")) });

export const groupsQuery = queryOptions({ queryKey: ["settings", "groups"], queryFn: async () => (await got(api.GET("/organizations/groups"))).data });

export const operationsQuery = queryOptions({ queryKey: ["settings", "operations"], queryFn: () => got(api.GET("/operations")) });

export const invitationsQuery = (status: InvitationStatus) =>
  infiniteQueryOptions({
    queryKey: ["settings", "invitations", status],
    queryFn: async ({ pageParam }) =>
      paged(await got(api.GET("/organizations/enrollments", { params: { query: { status, page: Number(pageParam), size: LIMIT } } }))),
    initialPageParam: "0",
    getNextPageParam: (page: Page<Invitation>) => page.next ?? undefined,
  });

/** The roles of the organization. */
export const rolesQuery = queryOptions({
  queryKey: ["settings", "roles"],
  queryFn: async () => (await got(api.GET("/organizations/roles", { params: { query: { size: 100 } } }))).content,
  staleTime: Infinity,
});
