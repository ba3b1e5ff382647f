import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { rootRoute } from "@/app/root";

const newRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/definitions/new",
  component: lazyRouteComponent(() => import("./BuilderPage"), "NewDefinitionPage"),
});

const editRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/definitions/$definitionId/edit",
  component: lazyRouteComponent(() => import("./BuilderPage"), "EditDefinitionPage"),
});

const draftRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/drafts/$draftId",
  component: lazyRouteComponent(() => import("./BuilderPage"), "DraftPage"),
});

export const builderRoutes = [newRoute, editRoute, draftRoute] as const;
