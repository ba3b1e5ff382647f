import { Button, Kbd, Textarea } from "@mantine/core";
import { IconCheck, IconCircleDashed } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { useTranslation } from "react-i18next";

import { api, got, idempotencyKey, type Schemas } from "@/api/client";
import { ApiError } from "@/api/errors";
import { useMe, useMay, useWhyNot } from "@/app/auth";
import { useShortcuts } from "@/app/keyboard";
import { Reasoned } from "@/components/Allowed";
import { notifyDone } from "@/components/confirm";
import { useDraft } from "@/components/draft";
import { Failure } from "@/components/Failure";
import { Notice } from "@/components/Notice";
import { Section } from "@/components/Section";
import { Time } from "@/components/Time";
import { AskAgain } from "./AskAgain";
import { Holder } from "./Holder";
import { useOutcomeWords } from "./outcomes";
import type { Review, Vote } from "./queries";
import css from "./Review.module.css";

/** Keys of the outcomes that most reviews have; others go by their number. */
const KEYS: Record<string, string> = { approve: "a", reject: "r" };

interface Props {
  review: Review;
  timeline: Schemas["TimelineAnswer"];
  onDecided: () => void;
}

/** Deciding, with a reason; why not, where it cannot be; who has it; what others have decided under four eyes. */
export function Decision({ review, timeline, onDecided }: Props) {
  const { t } = useTranslation("reviews");
  const queryClient = useQueryClient();
  const [comment, setComment] = useDraft(`decision ${review.workflowId} ${review.step}`);
  const field = useRef<HTMLTextAreaElement>(null);
  const named = useOutcomeWords();
  const whyNot = useWhyNotDecide(review);
  const votes = review.votes as unknown as Vote[];
  const decide = useMutation({
    mutationFn: (outcome: string) =>
      got(
        api.POST("/workflows/{workflowId}/reviews/{step}", {
          params: {
            path: { workflowId: review.workflowId, step: review.step },
            header: { "Idempotency-Key": idempotencyKey() },
          },
          body: { outcome, comment: comment.trim() || null },
        }),
      ),
    onSuccess: (_, outcome) => {
      setComment("");
      notifyDone(t("done", { outcome: named(outcome) }));
      onDecided();
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: ["reviews"] }),
  });
  const keyOf = (outcome: string, place: number) => KEYS[outcome] ?? String(place + 1);
  useShortcuts(t("key.title"), [
    ...review.outcomes.map((outcome, place) => ({
      keys: keyOf(outcome, place),
      text: named(outcome),
      run: () => whyNot === undefined && !decide.isPending && decide.mutate(outcome),
    })),
    { keys: "c", text: t("comment"), run: () => field.current?.focus() },
  ]);
  return (
    <aside className={css.decision} aria-label={t("decision")}>
      <Section title={t("decision")}>
        <Holder review={review} />
        {review.fourEyes && <FourEyes votes={votes} />}
        {whyNot !== undefined && <Notice tone="warn" title={t("whyNot")}>{whyNot}</Notice>}
        <Textarea
          ref={field}
          label={t("comment")}
          value={comment}
          onChange={(event) => setComment(event.currentTarget.value)}
          onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
          autosize
          minRows={3}
          maxLength={4000}
        />
        <div className={css.outcomes} role="group" aria-label={t("decision")}>
          {review.outcomes.map((outcome, place) => (
            <Reasoned key={outcome} reason={whyNot}>
              <Button
                variant={place === 0 ? "filled" : "default"}
                loading={decide.isPending && decide.variables === outcome}
                onClick={() => decide.mutate(outcome)}
                rightSection={<Kbd size="xs">{keyOf(outcome, place)}</Kbd>}
              >
                {named(outcome)}
              </Button>
            </Reasoned>
          ))}
        </div>
        <AskAgain review={review} timeline={timeline} whyNot={whyNot} />
        {decide.isError && (
          <Failure error={decide.error} onRetry={decide.error instanceof ApiError ? undefined : () => decide.reset()} />
        )}
      </Section>
    </aside>
  );
}

/** How a decision of two stands: who has decided what, and that another person is needed. */
function FourEyes({ votes }: { votes: readonly Vote[] }) {
  const { t } = useTranslation("reviews");
  const named = useOutcomeWords();
  const last = [...new Map(votes.map((vote) => [vote.by.id, vote])).values()];
  const differ = new Set(last.map((vote) => vote.outcome)).size > 1;
  return (
    <ol className={css.eyes} aria-label={t("eyes.name")}>
      {last.map((vote) => (
        <li key={vote.by.id}>
          <IconCheck size={15} aria-hidden />
          <span>
            {t("vote", { name: vote.by.name, outcome: named(vote.outcome) })}{" "}
            <span className="quiet">
              {vote.comment} <Time at={vote.at} />
            </span>
          </span>
        </li>
      ))}
      <li>
        <IconCircleDashed size={15} aria-hidden />
        <span className="quiet">{differ ? t("eyes.differ") : last.length === 0 ? t("eyes.two") : t("eyes.another")}</span>
      </li>
    </ol>
  );
}

/** Why this person may not decide this review; undefined where they may. */
function useWhyNotDecide(review: Review): string | undefined {
  const { t } = useTranslation("reviews");
  const me = useMe();
  const may = useMay("can_review");
  const reason = useWhyNot("can_review");
  if (!may) return reason ?? t("why.permission");
  if (!review.mayDecide) return t("why.assigned", { to: review.assignTo ?? "" });
  if (review.takenBy && review.takenBy.id !== me.id) return t("why.taken", { name: review.takenBy.name });
  const voted = (review.votes as unknown as Vote[]).some((vote) => vote.by.id === me.id);
  return review.fourEyes && voted ? t("why.fourEyes") : undefined;
}
