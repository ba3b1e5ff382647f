/** Numbers beside the entries of the navigation. */
import { useQuery, useQueryClient } from "@tanstack/react-query";

import { api, got } from "@/api/client";
import { useLive } from "@/live/useLive";
import { useMay } from "./auth";

const MOST = 99;
const REVIEWS = ["review.*"] as const;

export type Counts = Partial<Record<string, string>>;

/** How many reviews wait for this person. */
export function useCounts(): Counts {
  const queryClient = useQueryClient();
  const may = useMay("can_review");
  const { data } = useQuery({
    queryKey: ["counts", "reviews"],
    queryFn: () => got(api.GET("/reviews/count", { params: { query: { mine: true } } })),
    enabled: may,
    staleTime: 60_000,
  });
  useLive(REVIEWS, () => void queryClient.invalidateQueries({ queryKey: ["counts", "reviews"] }));
  const found = data?.count ?? 0;
  return found === 0 ? {} : { "/reviews": found > MOST ? `${MOST}+` : String(found) };
}
