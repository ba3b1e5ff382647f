import { Button, Modal, Textarea } from "@mantine/core";
import { IconBan, IconRefresh, IconSend } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";

import { api, got, idempotencyKey } from "@/api/client";
import { Allowed } from "@/components/Allowed";
import { confirm, notifyDone, notifyFailed } from "@/components/confirm";
import { failure, waits, type Execution } from "./types";

const ENDED = ["COMPLETED", "EXPIRED", "CANCELLED"];

/** What can be done with an execution. */
export function Actions({ execution }: { execution: Execution }) {
  const { t } = useTranslation(["executions", "common"]);
  const queryClient = useQueryClient();
  const path = { workflowId: execution.id };
  const settled = () => queryClient.invalidateQueries({ queryKey: ["executions", execution.id] });
  const retry = useMutation({
    mutationFn: () => got(api.POST("/workflows/{workflowId}/retry", { params: { path } })),
    onSuccess: () => notifyDone(t("action.retried")),
    onError: notifyFailed,
    onSettled: settled,
  });
  const cancel = useMutation({
    mutationFn: (reason: string) =>
      got(api.POST("/workflows/{workflowId}/cancel", { params: { path }, body: { reason: reason || null } })),
    onSuccess: () => notifyDone(t("action.cancelled")),
    onError: notifyFailed,
    onSettled: settled,
  });
  const askRetry = async () => {
    const step = failure(execution.error)?.step ?? "";
    const sure = await confirm({
      title: t("action.retryTitle"),
      text: t("action.retryText", { step }),
      action: t("action.retry"),
    });
    if (sure !== undefined) retry.mutate();
  };
  const askCancel = async () => {
    const reason = await confirm({
      title: t("action.cancelTitle"),
      text: t("action.cancelText"),
      action: t("action.cancelDo"),
      dangerous: true,
      reason: { label: t("action.reason") },
    });
    if (reason !== undefined) cancel.mutate(reason);
  };
  const events = waits(execution).flatMap((wait) => (wait.event ? [wait.event] : []));
  return (
    <>
      {events.map((event) => (
        <SendEvent key={event} execution={execution} event={event} />
      ))}
      <Allowed by="can_operate_executions" reason={execution.status === "FAILED" ? undefined : t("action.notFailed")}>
        <Button variant="default" leftSection={<IconRefresh size={15} />} loading={retry.isPending} onClick={() => void askRetry()}>
          {t("action.retry")}
        </Button>
      </Allowed>
      <Allowed by="can_operate_executions" reason={ENDED.includes(execution.status) ? t("action.ended") : undefined}>
        <Button variant="default" leftSection={<IconBan size={15} />} loading={cancel.isPending} onClick={() => void askCancel()}>
          {t("action.cancel")}
        </Button>
      </Allowed>
    </>
  );
}

/** Sends the event that a step waits for. */
function SendEvent({ execution, event }: { execution: Execution; event: string }) {
  const { t } = useTranslation(["executions", "common"]);
  const queryClient = useQueryClient();
  const [opened, setOpened] = useState(false);
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState<string>();
  const send = useMutation({
    mutationFn: (body: unknown) =>
      got(
        api.POST("/workflows/{workflowId}/events/{name}", {
          params: { path: { workflowId: execution.id, name: event }, header: { "Idempotency-Key": idempotencyKey() } },
          body: body as Record<string, never>,
        }),
      ),
    onSuccess: () => {
      setOpened(false);
      notifyDone(t("action.eventSent"));
    },
    onError: notifyFailed,
    onSettled: () => queryClient.invalidateQueries({ queryKey: ["executions", execution.id] }),
  });
  const submit = (submitted: FormEvent) => {
    submitted.preventDefault();
    try {
      send.mutate(text.trim() ? JSON.parse(text) : {});
      setWrong(undefined);
    } catch (error) {
      setWrong(t("action.eventWrong", { message: (error as Error).message }));
    }
  };
  return (
    <>
      <Allowed by="can_run">
        <Button leftSection={<IconSend size={15} />} onClick={() => setOpened(true)}>
          {t("action.event", { event })}
        </Button>
      </Allowed>
      <Modal closeButtonProps={{ "aria-label": t("common:close") }} opened={opened} onClose={() => setOpened(false)} title={t("action.eventTitle", { event })}>
        <form onSubmit={submit}>
          <Textarea
            label={t("action.eventBody")}
            value={text}
            onChange={(changed) => setText(changed.currentTarget.value)}
            error={wrong}
            minRows={4}
            autosize
            data-autofocus
            styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
          />
          <Button type="submit" mt="md" loading={send.isPending}>
            {t("action.eventDo")}
          </Button>
        </form>
      </Modal>
    </>
  );
}
