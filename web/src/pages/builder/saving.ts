/** A draft as it is saved while somebody works: what is newest goes out, one after the other, and nothing is lost. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useDebouncedValue } from "@mantine/hooks";
import { useEffect, useEffectEvent, useState } from "react";

import { api, got, type Schemas } from "@/api/client";
import { ApiError } from "@/api/errors";
import { useMe } from "@/app/auth";
import { merged } from "@/builder/history";
import { useLive, useOnline } from "@/live/useLive";

export type Draft = Schemas["DraftAnswer"];
export type SavingState = "saved" | "waiting" | "conflict" | "failed" | "unsaved";

const SAVE_AFTER = 800;
const MEET_EVERY = 10_000;
const DRAFTS = ["draft.*"] as const;

export interface Kept {
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
  about: { name: string; definitionId?: string; baseRevision?: number; scenariosVersion: number };
  isKept: boolean;
  onMade: (draft: Draft) => void;
  /** What somebody else saved was put together with what was typed here. */
  onMerged: (both: Kept, by: string) => void;
}

export function useSaving({ draft: opened, start, now, about, isKept, onMade, onMerged }: Options): Saving {
  const queryClient = useQueryClient();
  const me = useMe();
  const isOnline = useOnline();
  const [draft, setDraft] = useState(opened);
  const [kept, setKept] = useState<Kept>(opened ? { text: opened.text, scenarios: opened.scenarios } : start);
  const [refused, setRefused] = useState<Draft>();
  const [waited] = useDebouncedValue(now, SAVE_AFTER);
  const isSame = isEqual(kept, now);
  const send = useMutation({
    mutationFn: async (what: Kept) => {
      if (!draft) {
        const { definitionId = null, baseRevision = null, name, scenariosVersion } = about;
        return await got(api.POST("/drafts", { body: { name, ...what, scenariosVersion, definitionId, baseRevision, shared: false } }));
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
    // A server that is away comes back; what was refused is so again until it is changed.
    retry: (_, error) => !(error instanceof ApiError && error.status < 500),
    // Whoever was faster is behind the presence, too: their text is read there.
    onError: (error) => isConflict(error) && queryClient.invalidateQueries({ queryKey: ["drafts", draft?.id, "presence"] }),
  });
  const { data: presence } = useQuery({
    queryKey: ["drafts", draft?.id, "presence"],
    queryFn: ({ signal }) => got(api.POST("/drafts/{draftId}/presence", { params: { path: { draftId: draft!.id } }, signal })),
    enabled: draft !== undefined && !gone.has(draft.id),
    refetchInterval: MEET_EVERY,
  });
  useLive(DRAFTS, ({ type, data }) => {
    // One's own opening is no news: whoever leaves while that is asked about would be there again.
    const isMine = type === "draft.opened" && data["byId"] === me.id;
    if (draft !== undefined && !isMine && (data["draftId"] ?? draft.id) === draft.id) void queryClient.invalidateQueries({ queryKey: ["drafts", draft.id, "presence"] });
  });
  useLeaving(draft?.id);
  const isBehind = draft !== undefined && presence !== undefined && presence.version > draft.version && !send.isPending;
  const settle = (other: Draft) => {
    setDraft(other);
    setKept({ text: other.text, scenarios: other.scenarios });
    setRefused(undefined);
    send.reset();
  };
  const receive = useEffectEvent((other: Draft) => {
    const [text, scenarios] = [merged(kept.text, now.text, other.text), merged(kept.scenarios, now.scenarios, other.scenarios)];
    if (text === undefined || scenarios === undefined) return setRefused(other);
    settle(other);
    onMerged({ text, scenarios }, other.updatedBy);
  });
  const draftId = draft?.id;
  useEffect(() => {
    if (!isBehind || draftId === undefined) return;
    const aborted = new AbortController();
    void got(api.GET("/drafts/{draftId}", { params: { path: { draftId } }, signal: aborted.signal })).then(receive, () => undefined);
    return () => aborted.abort();
  }, [isBehind, draftId, presence?.version]);
  const push = useEffectEvent(() => {
    const wasRefused = send.isError && (isConflict(send.error) || isEqual(send.variables, now));
    if (isKept && !isSame && !send.isPending && !refused && !wasRefused) send.mutate(now);
  });
  useEffect(() => push(), [waited, isOnline, send.isPending, draft]);
  const state: SavingState = !isKept ? "unsaved" : refused ? "conflict" : send.failureCount > 0 && !isConflict(send.failureReason) ? "failed" : isSame ? "saved" : "waiting";
  return {
    state,
    draft,
    people: presence?.people ?? [],
    theirs: refused,
    settle,
    save: async () => (isSame && draft ? draft : isKept ? await send.mutateAsync(now) : undefined),
    error: send.failureReason,
  };
}

/** Drafts that were let go while they were open, as they were published: nobody is in them to leave. */
const gone = new Set<string>();

export async function letDraftGo(draftId: string): Promise<void> {
  gone.add(draftId);
  try {
    await api.DELETE("/drafts/{draftId}", { params: { path: { draftId } } });
  } catch (error) {
    gone.delete(draftId);
    throw error;
  }
}

/** Tells the others that one has closed a draft: as one goes to another page, and as the page goes away. */
function useLeaving(draftId: string | undefined): void {
  useEffect(() => {
    if (draftId === undefined) return;
    const leave = () => {
      if (!gone.has(draftId)) void api.DELETE("/drafts/{draftId}/presence", { params: { path: { draftId } }, keepalive: true }).catch(() => undefined);
    };
    window.addEventListener("pagehide", leave);
    return () => {
      window.removeEventListener("pagehide", leave);
      leave();
    };
  }, [draftId]);
}

function isEqual(one: Kept, other: Kept): boolean {
  return one.text === other.text && one.scenarios === other.scenarios;
}

function isConflict(error: unknown): boolean {
  return error instanceof ApiError && error.has("DRAFT_VERSION_CONFLICT");
}
