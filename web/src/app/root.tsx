import { createRootRouteWithContext } from "@tanstack/react-router";
import type { QueryClient } from "@tanstack/react-query";

import { ApiError } from "@/api/errors";
import { Failure } from "@/components/Failure";
import { meQuery, permissionsQuery, signInAddress } from "./auth";
import { NotFound } from "./NotFound";
import { Shell } from "./Shell";

export interface Context {
  queryClient: QueryClient;
}

/** The route above all pages: asks once who is signed in. */
export const rootRoute = createRootRouteWithContext<Context>()({
  beforeLoad: async ({ context: { queryClient } }) => {
    try {
      await Promise.all([queryClient.ensureQueryData(meQuery), queryClient.ensureQueryData(permissionsQuery)]);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 401)) throw error;
      location.assign(signInAddress());
      // The browser is on its way: show nothing meanwhile.
      await new Promise(() => undefined);
    }
  },
  component: Shell,
  errorComponent: ({ error }) => <Failure error={error} />,
  notFoundComponent: NotFound,
});
