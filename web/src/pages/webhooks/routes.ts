import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { rootRoute } from "@/app/root";
import { readSearch, type WebhooksSearch } from "./search";

const webhooksRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/webhooks",
  validateSearch: (given: Record<string, unknown>): WebhooksSearch => readSearch(given),
  component: lazyRouteComponent(() => import("./WebhooksPage"), "WebhooksPage"),
});

export const webhooksRoutes = [webhooksRoute] as const;
