/** All pages: one line each. */
import { createRoute, createRouter } from "@tanstack/react-router";

import { under } from "./app/prefix";
import { queryClient } from "./app/query";
import { rootRoute } from "./app/root";
import { SignedIn } from "./app/SignedIn";
import { Failure } from "./components/Failure";
import { Loading } from "./components/Loading";
import { builderRoutes } from "./pages/builder/routes";
import { definitionsRoutes } from "./pages/definitions/routes";
import { executionsRoutes } from "./pages/executions/routes";
import { linksRoutes } from "./pages/links/routes";
import { recordsRoutes } from "./pages/records/routes";
import { reviewsRoutes } from "./pages/reviews/routes";
import { settingsRoutes } from "./pages/settings/routes";
import { templatesRoutes } from "./pages/templates/routes";
import { todayRoutes } from "./pages/today/routes";
import { webhooksRoutes } from "./pages/webhooks/routes";

const signedInRoute = createRoute({ getParentRoute: () => rootRoute, path: "/signed-in", component: SignedIn });

const routeTree = rootRoute.addChildren([
  signedInRoute,
  ...builderRoutes,
  ...definitionsRoutes,
  ...executionsRoutes,
  ...linksRoutes,
  ...recordsRoutes,
  ...reviewsRoutes,
  ...settingsRoutes,
  ...templatesRoutes,
  ...todayRoutes,
  ...webhooksRoutes,
]);

export const router = createRouter({
  routeTree,
  basepath: under("/app"),
  context: { queryClient },
  defaultPreload: "intent",
  defaultPreloadStaleTime: 0,
  scrollRestoration: true,
  defaultErrorComponent: ({ error, reset }) => <Failure error={error} onRetry={reset} />,
  defaultPendingComponent: Loading,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
