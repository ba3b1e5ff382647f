import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { rootRoute } from "@/app/root";
import { readSearch } from "./search";

const definitionsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/definitions",
  component: lazyRouteComponent(() => import("./DefinitionsPage"), "DefinitionsPage"),
});

const definitionRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/definitions/$definitionId",
  validateSearch: readSearch,
  component: lazyRouteComponent(() => import("./DefinitionPage"), "DefinitionPage"),
});

export const definitionsRoutes = [definitionsRoute, definitionRoute] as const;
