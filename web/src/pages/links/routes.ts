import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { rootRoute } from "@/app/root";
import { readSearch } from "./search";

const linksRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/links",
  validateSearch: readSearch,
  component: lazyRouteComponent(() => import("./LinksPage"), "LinksPage"),
});

export const linksRoutes = [linksRoute] as const;
