import { IconChecklist } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { Schemas } from "@/api/client";
import { CopyButton } from "@/components/CopyButton";
import { useDraft } from "@/components/draft";
import { Empty } from "@/components/Empty";
import { Notice } from "@/components/Notice";
import { Time } from "@/components/Time";
import { useOutcomeWords } from "./outcomes";
import { askedKey, type Vote } from "./queries";
import css from "./Review.module.css";

interface Props {
  timeline: Schemas["TimelineAnswer"];
  step: string;
  workflowId: string;
  children: ReactNode;
}

/** A review that is over: how it went, and what this person had written about it. */
export function Closed({ timeline, step, workflowId, children }: Props) {
  const { t } = useTranslation("reviews");
  const named = useOutcomeWords();
  const [written] = useDraft(`decision ${workflowId} ${step}`);
  const { data: link } = useQuery<Schemas["AskedAnswer"]>({ queryKey: askedKey(workflowId), enabled: false });
  const last = timeline.steps.findLast((run) => run.step === step);
  const vote = last?.status === "COMPLETED" ? (last.output as Vote | null) : undefined;
  const asked = (last?.input as { askedAgain?: { note: string; at: string; by: { name: string } } } | null)?.askedAgain;
  return (
    <>
      {vote && (
        <Notice tone="busy" title={t("vote", { name: vote.by.name, outcome: named(vote.outcome) })}>
          {vote.comment} <Time at={vote.at} />
        </Notice>
      )}
      {link && (
        <Notice tone="busy" title={link.sentTo ? t("ask.sent", { to: link.sentTo }) : t("ask.made")}>
          <p className={css.written}>{t("ask.comesBack")}</p>
          <code className={css.link}>{link.link}</code> <CopyButton value={link.link} what={t("ask.link")} />
        </Notice>
      )}
      {!vote && asked && (
        <Notice tone="busy" title={t("ask.byWhom", { name: asked.by.name })}>
          {asked.note} <Time at={asked.at} />
        </Notice>
      )}
      {written && (
        <Notice tone="warn" title={t("decided.written")}>
          <p className={css.written}>
            {written} <CopyButton value={written} what={t("comment")} />
          </p>
        </Notice>
      )}
      <Empty icon={IconChecklist} title={t("decided.text")}>
        {children}
      </Empty>
    </>
  );
}
