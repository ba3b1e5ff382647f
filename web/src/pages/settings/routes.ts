import { createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router";

import { rootRoute } from "@/app/root";
import { readAuditSearch } from "./auditSearch";
import {
  parseAccessSearch,
  parseApiSearch,
  parseErasureSearch,
  parseInvitationsSearch,
  parseListsSearch,
  parseMembersSearch,
} from "./search";

const settingsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/settings",
  component: lazyRouteComponent(() => import("./SettingsPage"), "SettingsPage"),
});

const indexRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/settings/account", replace: true });
  },
});

const accountRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/account",
  component: lazyRouteComponent(() => import("./AccountPage"), "AccountPage"),
});

const keysRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/keys",
  component: lazyRouteComponent(() => import("./KeysPage"), "KeysPage"),
});

const secretsRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/secrets",
  component: lazyRouteComponent(() => import("./SecretsPage"), "SecretsPage"),
});

const membersRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/members",
  validateSearch: parseMembersSearch,
  component: lazyRouteComponent(() => import("./MembersPage"), "MembersPage"),
});

const publishingRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/publishing",
  component: lazyRouteComponent(() => import("./PublishingPage"), "PublishingPage"),
});

const auditRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/audit",
  validateSearch: readAuditSearch,
  component: lazyRouteComponent(() => import("./AuditPage"), "AuditPage"),
});

const invitationsRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/invitations",
  validateSearch: parseInvitationsSearch,
  component: lazyRouteComponent(() => import("./InvitationsPage"), "InvitationsPage"),
});

const accessRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/access",
  validateSearch: parseAccessSearch,
  component: lazyRouteComponent(() => import("./AccessPage"), "AccessPage"),
});

const rolesRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/roles",
  component: lazyRouteComponent(() => import("./RolesPage"), "RolesPage"),
});

const newRoleRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/roles/new",
  component: lazyRouteComponent(() => import("./RolePage"), "NewRolePage"),
});

const roleRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/roles/$name",
  component: lazyRouteComponent(() => import("./RolePage"), "RolePage"),
});

const ssoRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/single-sign-on",
  component: lazyRouteComponent(() => import("./SingleSignOnPage"), "SingleSignOnPage"),
});

const listsRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/lists",
  validateSearch: parseListsSearch,
  component: lazyRouteComponent(() => import("./ListsPage"), "ListsPage"),
});

const workspaceRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/workspace",
  component: lazyRouteComponent(() => import("./WorkspacePage"), "WorkspacePage"),
});

const apiRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/api",
  validateSearch: parseApiSearch,
  component: lazyRouteComponent(() => import("./ApiPage"), "ApiPage"),
});

const limitsRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/limits",
  component: lazyRouteComponent(() => import("./LimitsPage"), "LimitsPage"),
});

const retentionRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/retention",
  component: lazyRouteComponent(() => import("./RetentionPage"), "RetentionPage"),
});

const erasureRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/erasure",
  validateSearch: parseErasureSearch,
  component: lazyRouteComponent(() => import("./ErasurePage"), "ErasurePage"),
});

const mailRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/mail",
  component: lazyRouteComponent(() => import("./MailPage"), "MailPage"),
});

const healthRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/health",
  component: lazyRouteComponent(() => import("./HealthPage"), "HealthPage"),
});

export const settingsRoutes = [
  settingsRoute.addChildren([
    indexRoute,
    accountRoute,
    keysRoute,
    secretsRoute,
    membersRoute,
    invitationsRoute,
    accessRoute,
    rolesRoute,
    newRoleRoute,
    roleRoute,
    ssoRoute,
    listsRoute,
    workspaceRoute,
    apiRoute,
    limitsRoute,
    retentionRoute,
    erasureRoute,
    mailRoute,
    healthRoute,
    publishingRoute,
    auditRoute,
  ]),
] as const;
