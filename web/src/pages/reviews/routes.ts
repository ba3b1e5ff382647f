import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { rootRoute } from "@/app/root";
import { readReviewSearch } from "./search";

const reviewsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/reviews",
  validateSearch: readReviewSearch,
  component: lazyRouteComponent(() => import("./ReviewsPage"), "ReviewsPage"),
});

const reviewRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/reviews/$workflowId/$step",
  validateSearch: readReviewSearch,
  component: lazyRouteComponent(() => import("./ReviewPage"), "ReviewPage"),
});

export const reviewsRoutes = [reviewsRoute, reviewRoute] as const;
