/** Who is signed in, and what this person may do. Everything about sessions is behind this module. */
import { queryOptions, useSuspenseQuery } from "@tanstack/react-query";

import { ApiError } from "@/api/errors";
import type { components } from "@/api/schema";
import { PREFIX, under } from "./prefix";

type Schemas = components["schemas"];

export interface Workspace {
  id: string;
  name: string;
}

export interface Me {
  id: string;
  name: string;
  email: string;
  timeZone: string | undefined;
  workspace: Workspace;
  workspaces: readonly Workspace[];
}

export interface Permissions {
  permissions: ReadonlySet<string>;
  /** Why those that are missing are. */
  reasons: ReadonlyMap<string, string>;
}

type Listener = () => void;
let ended = false;
const listeners = new Set<Listener>();

/** Called by the client where an answer says that nobody is signed in. */
export function sessionEnded(): void {
  setEnded(true);
}

/** Called when somebody has signed in again. */
export function sessionResumed(): void {
  setEnded(false);
}

function setEnded(value: boolean): void {
  if (ended === value) return;
  ended = value;
  for (const listener of listeners) listener();
}

export const session = {
  subscribe: (listener: Listener): Listener => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  get hasEnded(): boolean {
    return ended;
  },
};

/** The address that signs in and comes back to this one. `next`: without the path that Passerelle lives under. */
export function signInAddress(next: string = location.pathname.slice(PREFIX.length) + location.search): string {
  return under(`/sign-in?next=${encodeURIComponent(next)}`);
}

/** Tells the server that a page of ours calls: no other site can add it. */
export const CLIENT = { "X-Passerelle-Client": "dashboard" } as const;

async function call<T>(method: "GET" | "PUT", path: string, body?: unknown): Promise<T> {
  const answer = await fetch(under(path), {
    method,
    headers: { ...CLIENT, Accept: "application/json;version=2", "Content-Type": "application/json" },
    credentials: "same-origin",
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new ApiError(answer.status, [], undefined, `${method} ${path}`);
  const text = await answer.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

export const meQuery = queryOptions({
  queryKey: ["me"],
  staleTime: Infinity,
  retry: false,
  queryFn: async (): Promise<Me> => {
    const me = await call<Schemas["MeAnswer"]>("GET", "/me");
    return {
      id: me.id,
      name: me.name,
      email: me.email ?? "",
      timeZone: me.timeZone ?? undefined,
      workspace: me.workspace ?? { id: "", name: me.organization.name },
      workspaces: me.workspaces,
    };
  },
});

export const permissionsQuery = queryOptions({
  queryKey: ["me", "permissions"],
  staleTime: Infinity,
  retry: false,
  queryFn: async (): Promise<Permissions> => {
    const answer = await call<Schemas["MyPermissions"]>("GET", "/me/permissions");
    const told = answer.workspaces.find((place) => place.workspaceId === answer.workspaceId)?.permissions ?? [];
    return {
      permissions: new Set(answer.permissions),
      reasons: new Map(told.flatMap(({ permission, reason }) => (reason ? [[permission, reason] as const] : []))),
    };
  },
});

/** Who is signed in. */
export function useMe(): Me {
  return useSuspenseQuery(meQuery).data;
}

/** Whether this person may do what needs a permission. */
export function useMay(permission: string): boolean {
  return useSuspenseQuery(permissionsQuery).data.permissions.has(permission);
}

/** Why this person may not do what needs a permission, in the server's words. */
export function useWhyNot(permission: string): string | undefined {
  return useSuspenseQuery(permissionsQuery).data.reasons.get(permission);
}

export const organizationsQuery = queryOptions({
  queryKey: ["me", "organizations"],
  staleTime: Infinity,
  queryFn: () => call<Schemas["MyOrganizationList"]>("GET", "/me/organizations"),
});

/** Go on in another organization: as another user there, so that everything is loaded anew. */
export async function enterOrganization(id: string): Promise<void> {
  const { needs } = await call<Schemas["SwitchedAnswer"]>("PUT", "/me/organization", { organizationId: id });
  location.assign(under(needs === "code" ? "/sign-in/code?next=%2Fapp" : "/app"));
}

/** Show another workspace from now on: everything is loaded anew. */
export async function enterWorkspace(id: string): Promise<void> {
  await call("PUT", "/me/workspace", { workspaceId: id });
  location.assign(under("/app"));
}
