/** A draft as it is saved while somebody works: what is newest goes out, one after the other, and nothing is lost. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useDebouncedValue } from "@mantine/hooks";
import { useEffect, useEffectEvent, useState } from "react";

import { api, got, type Schemas } from "@/api/client";
import { ApiError } from "@/api/errors";
import { useOnline } from "@/live/useLive";

export type Draft = Schemas["DraftAnswer"];
export type SavingState = "saved" | "waiting" | "conflict" | "failed" | "unsaved";

const SAVE_AFTER = 800;
const MEET_EVERY = 10_000;

interface Kept {
  text: string;
  scenarios: string;
}

export interface Saving {
  state: SavingState;
  draft: Draft | undefined;
  /** Who else has the draft open. */
  people: readonly string[];
  /** What somebody else saved meanwhile: to be put together with one's own. */
  theirs: Draft | undefined;
  /** Go on with a text that has taken in theirs. */
  settle: (theirs: Draft) => void;
  save: () => Promise<Draft | undefined>;
  error: unknown;
}

interface Options {
  draft: Draft | undefined;
  start: Kept;
  now: Kept;
  /** What a new draft is about. */
  about: { name: string; definitionId?: string; baseRevision?: number };
  isKept: boolean;
  onMade: (draft: Draft) => void;
}

export function useSaving({ draft: opened, start, now, about, isKept, onMade }: Options): Saving {
  const queryClient = useQueryClient();
  const isOnline = useOnline();
  const [draft, setDraft] = useState(opened);
  const [kept, setKept] = useState<Kept>(opened ? { text: opened.text, scenarios: opened.scenarios } : start);
  const [refused, setRefused] = useState<Draft>();
  const [waited] = useDebouncedValue(now, SAVE_AFTER);
  const isSame = kept.text === now.text && kept.scenarios === now.scenarios;
  const send = useMutation({
    mutationFn: async (what: Kept) => {
      if (!draft) {
        const { definitionId = null, baseRevision = null, name } = about;
        return await got(api.POST("/drafts", { body: { name, ...what, definitionId, baseRevision, shared: false } }));
      }
      const params = { path: { draftId: draft.id }, header: { "if-match": `"${draft.version}"` } };
      return await got(api.PATCH("/drafts/{draftId}", { params, body: what }));
    },
    onSuccess: (saved, what) => {
      if (!draft) onMade(saved);
      setDraft(saved);
      setKept(what);
      void queryClient.invalidateQueries({ queryKey: ["drafts", "list"] });
    },
    onError: async (error) => {
      if (!draft || !(error instanceof ApiError && error.has("DRAFT_VERSION_CONFLICT"))) return;
      setRefused(await got(api.GET("/drafts/{draftId}", { params: { path: { draftId: draft.id } } })));
    },
  });
  const { data: presence } = useQuery({
    queryKey: ["drafts", draft?.id, "presence"],
    queryFn: () => got(api.POST("/drafts/{draftId}/presence", { params: { path: { draftId: draft!.id } } })),
    enabled: draft !== undefined,
    refetchInterval: MEET_EVERY,
  });
  const isBehind = draft !== undefined && presence !== undefined && presence.version > draft.version && !send.isPending;
  const { data: newer } = useQuery({
    queryKey: ["drafts", draft?.id, "newer", presence?.version],
    queryFn: () => got(api.GET("/drafts/{draftId}", { params: { path: { draftId: draft!.id } } })),
    enabled: isBehind,
  });
  const theirs = refused ?? (isBehind ? newer : undefined);
  const push = useEffectEvent(() => {
    if (isKept && !isSame && !send.isPending && !theirs) send.mutate(now);
  });
  useEffect(() => push(), [waited, isOnline, send.isPending]);
  const state: SavingState = !isKept ? "unsaved" : theirs ? "conflict" : send.isError ? "failed" : isSame ? "saved" : "waiting";
  return {
    state,
    draft,
    people: presence?.people ?? [],
    theirs,
    settle: (other) => {
      setDraft(other);
      setKept({ text: other.text, scenarios: other.scenarios });
      setRefused(undefined);
      send.reset();
    },
    save: async () => (isSame && draft ? draft : isKept ? await send.mutateAsync(now) : undefined),
    error: send.error,
  };
}
