import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { rootRoute } from "@/app/root";
import { readSearch, type ExecutionSearch } from "./search";

const executionsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/executions",
  validateSearch: (given: Record<string, unknown>): ExecutionSearch => readSearch(given),
  component: lazyRouteComponent(() => import("./ExecutionsPage"), "ExecutionsPage"),
});

const executionRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/executions/$executionId",
  validateSearch: (given: Record<string, unknown>): { step?: string | undefined; failed?: boolean | undefined } => ({
    ...(typeof given["step"] === "string" && { step: given["step"] }),
    ...(given["failed"] === true && { failed: true }),
  }),
  component: lazyRouteComponent(() => import("./ExecutionPage"), "ExecutionPage"),
});

interface Compared {
  left: string;
  right: string;
  /** Show also what is the same. */
  same?: true;
}

const compareRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/executions/compare",
  validateSearch: (given: Record<string, unknown>): Compared => ({
    left: typeof given["left"] === "string" ? given["left"] : "",
    right: typeof given["right"] === "string" ? given["right"] : "",
    ...(given["same"] === true && { same: true }),
  }),
  component: lazyRouteComponent(() => import("./ComparePage"), "ComparePage"),
});

export const executionsRoutes = [executionsRoute, executionRoute, compareRoute] as const;
