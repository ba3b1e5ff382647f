/** Publishing by two persons: what waits, and the dialogue in which somebody decides it. */
import { Button, Group, Modal, Textarea } from "@mantine/core";
import { IconCheck, IconX } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { useMay } from "@/app/auth";
import { Allowed } from "@/components/Allowed";
import { notifyDone, notifyFailed } from "@/components/confirm";
import { Failure } from "@/components/Failure";
import { Id } from "@/components/Id";
import { Loading } from "@/components/Loading";
import { Notice } from "@/components/Notice";
import { Section } from "@/components/Section";
import { Tag } from "@/components/Status";
import { Time } from "@/components/Time";
import { Verdicts } from "@/components/Verdicts";
import { ChangeList } from "./Changes";
import { proposalsQuery, waits, type Proposal } from "./queries";
import css from "./Definitions.module.css";

const TONES = { open: "warn", stale: "bad", approved: "good", declined: "bad", withdrawn: "quiet", replaced: "quiet" } as const;
type Decision = "approve" | "decline" | "withdraw";

/** All proposals of the workspace that wait for a second person. */
export function WaitingProposals() {
  const { t } = useTranslation("definitions");
  const { data } = useQuery(proposalsQuery());
  const waiting = data?.data.filter(waits) ?? [];
  if (waiting.length === 0) return null;
  return (
    <Notice tone="warn" title={t("proposal.waiting", { count: waiting.length })}>
      <ul className={css.problems}>
        {waiting.map((one) => (
          <li key={one.id}>
            <Link to="/definitions/$definitionId" params={{ definitionId: one.definitionId }} search={{ proposal: one.id }}>
              {t("proposal.of", { name: one.name, revision: one.revision })}
            </Link>{" "}
            <span className="quiet">
              {one.proposedBy} · <Time at={one.proposedAt} relative />
            </span>
          </li>
        ))}
      </ul>
    </Notice>
  );
}

/** Above a definition: that somebody wants a revision published. */
export function ProposalNotice({ proposal, onOpen }: { proposal: Proposal; onOpen: () => void }) {
  const { t } = useTranslation("definitions");
  return (
    <Notice tone="warn" title={t("proposal.notice", { by: proposal.proposedBy, revision: proposal.revision })}>
      {proposal.note && <p className={css.note}>{proposal.note}</p>}
      <Button size="compact-sm" mt="xs" onClick={onOpen}>
        {t(proposal.mayDecide ? "proposal.decide" : "proposal.look")}
      </Button>
    </Notice>
  );
}

/** One proposal: what changes, what would become of executions under way, and the decision. */
export function ProposalDialog({ id, onClose }: { id: string; onClose: () => void }) {
  const { t } = useTranslation(["definitions", "common"]);
  const { data, error } = useQuery({
    queryKey: ["proposals", id],
    queryFn: () => got(api.GET("/proposals/{proposalId}", { params: { path: { proposalId: id } } })),
  });
  return (
    <Modal
      opened
      onClose={onClose}
      size="xl"
      title={data ? t("proposal.title", { name: data.name, revision: data.revision }) : t("proposal.tag")}
      closeButtonProps={{ "aria-label": t("common:close") }}
    >
      {error && <Failure error={error} />}
      {!error && !data && <Loading />}
      {data && <Body proposal={data} onClose={onClose} />}
    </Modal>
  );
}

function Body({ proposal, onClose }: { proposal: Proposal; onClose: () => void }) {
  const { t } = useTranslation("definitions");
  const { definitionId, revision, published, status } = proposal;
  return (
    <>
      <p className={css.facts}>
        <Tag tone={TONES[status]} text={t(`proposal.status.${status}`)} />
        <span>
          {proposal.proposedBy} · <Time at={proposal.proposedAt} />
        </span>
        <span className="quiet">
          SHA-256 <Id id={proposal.sha256} what="SHA-256" />
        </span>
      </p>
      {proposal.note && <p className={css.note}>{proposal.note}</p>}
      {status === "stale" && (
        <Notice tone="bad" title={t("proposal.stale")}>
          {t("proposal.staleText")}
        </Notice>
      )}
      {proposal.decidedAt && (
        <p>
          {proposal.decidedBy} · <Time at={proposal.decidedAt} /> {proposal.comment && <span className={css.note}>{proposal.comment}</span>}
        </p>
      )}
      <Section title={published === null ? t("proposal.first") : t("proposal.changes", { from: published, to: revision })}>
        {published !== null && <ChangeList definitionId={definitionId} from={published} to={revision} />}
      </Section>
      {published !== null && status === "open" && <UnderWay definitionId={definitionId} from={published} to={revision} />}
      {waits(proposal) && <Decide proposal={proposal} onDone={onClose} />}
    </>
  );
}

/** What would become of executions under way, if they were moved afterwards. */
export function UnderWay({ definitionId, from, to }: { definitionId: string; from: number; to: number }) {
  const { t } = useTranslation("definitions");
  const may = useMay("can_operate_executions");
  const { data, error } = useQuery({
    queryKey: ["definitions", definitionId, "dry-run", from, to],
    queryFn: () =>
      got(
        api.POST("/definitions/{definitionId}/migrations", {
          params: { path: { definitionId } },
          body: { from, to, dryRun: true, mapping: {}, loosenReviews: false },
        }),
      ),
    enabled: may,
    staleTime: 60_000,
  });
  return (
    <Section title={t("proposal.underWay")}>
      <p className="quiet">{t(may ? "proposal.underWayText" : "proposal.underWayHidden")}</p>
      {error && <Failure error={error} />}
      {data && <Verdicts migration={data} />}
    </Section>
  );
}

function Decide({ proposal, onDone }: { proposal: Proposal; onDone: () => void }) {
  const { t } = useTranslation("definitions");
  const queryClient = useQueryClient();
  const [comment, setComment] = useState("");
  const path = { proposalId: proposal.id };
  const decide = useMutation({
    mutationFn: async (decision: Decision) => {
      const body = { comment: comment.trim() || null };
      if (decision === "approve") await got(api.POST("/proposals/{proposalId}/approve", { params: { path }, body }));
      else if (decision === "decline") await got(api.POST("/proposals/{proposalId}/decline", { params: { path }, body }));
      else await got(api.POST("/proposals/{proposalId}/withdraw", { params: { path } }));
    },
    onSuccess: (_, decision) => {
      notifyDone(t(`proposal.done.${decision}`));
      onDone();
    },
    onError: notifyFailed,
    onSettled: () => Promise.all([queryClient.invalidateQueries({ queryKey: ["proposals"] }), queryClient.invalidateQueries({ queryKey: ["definitions"] })]),
  });
  const doing = (decision: Decision) => decide.isPending && decide.variables === decision;
  const own = proposal.mayWithdraw ? t("proposal.own") : undefined;
  return (
    <>
      <Textarea
        mt="md"
        label={t("proposal.comment")}
        maxLength={500}
        autosize
        minRows={2}
        value={comment}
        onChange={(event) => setComment(event.currentTarget.value)}
      />
      <Group mt="md" justify="flex-end">
        {proposal.mayWithdraw && (
          <Button variant="default" loading={doing("withdraw")} onClick={() => decide.mutate("withdraw")}>
            {t("proposal.withdraw")}
          </Button>
        )}
        <Allowed by="can_publish_definitions" reason={own}>
          <Button variant="default" leftSection={<IconX size={15} />} loading={doing("decline")} onClick={() => decide.mutate("decline")}>
            {t("proposal.decline")}
          </Button>
        </Allowed>
        <Allowed by="can_publish_definitions" reason={own ?? (proposal.status === "stale" ? t("proposal.stale") : undefined)}>
          <Button leftSection={<IconCheck size={15} />} loading={doing("approve")} onClick={() => decide.mutate("approve")}>
            {t("proposal.approve")}
          </Button>
        </Allowed>
      </Group>
    </>
  );
}
