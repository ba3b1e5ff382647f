import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { rootRoute } from "@/app/root";

const templatesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/definitions/templates",
  validateSearch: (given: Record<string, unknown>): { use?: string } => (typeof given["use"] === "string" ? { use: given["use"] } : {}),
  component: lazyRouteComponent(() => import("./TemplatesPage"), "TemplatesPage"),
});

const importRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/definitions/import",
  component: lazyRouteComponent(() => import("./FromFilePage"), "FromFilePage"),
});

export const templatesRoutes = [templatesRoute, importRoute] as const;
