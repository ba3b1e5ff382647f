import { QueryClient } from "@tanstack/react-query";

import { worthRetrying } from "@/api/errors";

const TRIES = 3;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      retry: (failures, error) => worthRetrying(error) && failures < TRIES,
      refetchOnWindowFocus: true,
    },
    mutations: { retry: false },
  },
});
