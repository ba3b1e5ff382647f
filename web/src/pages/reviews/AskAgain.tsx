import { Button, Checkbox, Group, Modal, Radio, Stack, Textarea, TextInput } from "@mantine/core";
import { IconMailForward } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";

import { api, got, type Schemas } from "@/api/client";
import { useShortcuts } from "@/app/keyboard";
import { Reasoned } from "@/components/Allowed";
import { useDraft } from "@/components/draft";
import { Failure } from "@/components/Failure";
import { askedKey, type Review } from "./queries";

type Timeline = Schemas["TimelineAnswer"];

/** Steps that the end user does. */
const THEIRS = ["form", "upload", "consent"];
/** Steps that are felt outside when they run again. */
const FELT = ["http", "email", "record", "workflow"];

interface Props {
  review: Review;
  timeline: Timeline;
  whyNot: string | undefined;
}

/** Has the end user do one step once more; what they entered stays. */
export function AskAgain({ review, timeline, whyNot }: Props) {
  const { t } = useTranslation("reviews");
  const [opened, setOpened] = useState(false);
  const done = timeline.steps.filter((run) => run.status === "COMPLETED" && !run.step.includes("."));
  const theirs = [...new Set(done.filter((run) => THEIRS.includes(run.kind)).map((run) => run.step))];
  const reason = whyNot ?? (theirs.length === 0 ? t("ask.nothing") : undefined);
  useShortcuts(t("key.title"), [{ keys: "q", text: t("ask.do"), run: () => reason === undefined && setOpened(true) }]);
  return (
    <>
      <Reasoned reason={reason}>
        <Button variant="subtle" leftSection={<IconMailForward size={15} />} onClick={() => setOpened(true)}>
          {t("ask.do")}
        </Button>
      </Reasoned>
      <Modal closeButtonProps={{ "aria-label": t("ask.close") }} opened={opened} onClose={() => setOpened(false)} title={t("ask.title")} size="lg">
        {opened && <Question review={review} runs={done} steps={theirs} />}
      </Modal>
    </>
  );
}

interface QuestionProps {
  review: Review;
  runs: Timeline["steps"];
  steps: readonly string[];
}

function Question({ review, runs, steps }: QuestionProps) {
  const { t } = useTranslation("reviews");
  const queryClient = useQueryClient();
  const [step, setStep] = useState(steps.at(-1) ?? "");
  const [note, setNote] = useDraft(`ask ${review.workflowId} ${review.step}`);
  const [email, setEmail] = useState("");
  const [send, setSend] = useState(true);
  const after = runs.slice(runs.findLastIndex((run) => run.step === step) + 1);
  const felt = [...new Set(after.filter((run) => FELT.includes(run.kind)).map((run) => run.step))];
  const [rerun, setRerun] = useState<boolean>();
  const again = rerun ?? felt.length === 0;
  const ask = useMutation({
    mutationFn: () =>
      got(
        api.POST("/workflows/{workflowId}/reviews/{step}/ask", {
          params: { path: { workflowId: review.workflowId, step: review.step } },
          body: { step, note: note.trim(), email: email.trim() || null, send, rerun: again },
        }),
      ),
    onSuccess: (asked) => {
      setNote("");
      // The case goes from the screen now; what comes in its place shows the link.
      queryClient.setQueryData(askedKey(review.workflowId), asked);
      return queryClient.invalidateQueries({ queryKey: ["reviews"] });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (note.trim()) ask.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <Radio.Group label={t("ask.step")} value={step} onChange={setStep}>
          <Stack gap={6} mt={6}>
            {steps.map((one) => (
              <Radio key={one} value={one} label={one} size="xs" />
            ))}
          </Stack>
        </Radio.Group>
        <Textarea
          label={t("ask.note")}
          description={t("ask.noteHint")}
          value={note}
          onChange={(event) => setNote(event.currentTarget.value)}
          autosize
          minRows={3}
          maxLength={2000}
          required
          data-autofocus
        />
        <Checkbox size="xs" label={t("ask.send")} checked={send} onChange={(event) => setSend(event.currentTarget.checked)} />
        {send && (
          <TextInput type="email" label={t("ask.email")} placeholder={t("ask.emailBefore")} value={email} onChange={(event) => setEmail(event.currentTarget.value)} />
        )}
        {after.length > 0 && (
          <Radio.Group label={t("ask.then")} value={again ? "again" : "back"} onChange={(value) => setRerun(value === "again")}>
            <Stack gap={6} mt={6}>
              <Radio value="again" size="xs" label={t("ask.again")} description={felt.length > 0 ? t("ask.felt", { steps: felt.join(", ") }) : t("ask.againHint")} />
              <Radio value="back" size="xs" label={t("ask.back")} description={t("ask.backHint")} />
            </Stack>
          </Radio.Group>
        )}
        {ask.isError && <Failure error={ask.error} />}
        <Group justify="flex-end">
          <Button type="submit" loading={ask.isPending} leftSection={<IconMailForward size={15} />}>
            {t("ask.submit")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
