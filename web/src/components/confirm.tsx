/** Asking before something that cannot be undone, and offering to undo what can. */
import { Button, Group, Modal, Text, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useState, useSyncExternalStore, type FormEvent, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { ApiError } from "@/api/errors";
import i18n from "i18next";

export interface Question {
  title: string;
  text: ReactNode;
  /** What the button says: a verb. */
  action: string;
  dangerous?: boolean;
  /** Ask for a word of explanation as well. */
  reason?: { label: string; required?: boolean };
}

interface Asked extends Question {
  answer: (reason: string | undefined) => void;
}

let asked: Asked | undefined;
const listeners = new Set<() => void>();

function set(question: Asked | undefined): void {
  asked = question;
  for (const listener of listeners) listener();
}

/** Ask; the answer is undefined where it was no, else the reason that was typed, if any. */
export function confirm(question: Question): Promise<string | undefined> {
  return new Promise((resolve) =>
    set({
      ...question,
      answer: (reason) => {
        set(undefined);
        resolve(reason);
      },
    }),
  );
}

/** Where questions are shown: once, in the shell. */
export function ConfirmHost() {
  const question = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => asked,
  );
  return question ? <Ask key={question.title} question={question} /> : null;
}

function Ask({ question }: { question: Asked }) {
  const { t } = useTranslation();
  const [reason, setReason] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    question.answer(reason.trim());
  };
  return (
    <Modal closeButtonProps={{ "aria-label": t("close") }} opened onClose={() => question.answer(undefined)} title={question.title}>
      <form onSubmit={submit}>
        <Text size="sm" component="div">
          {question.text}
        </Text>
        {question.reason && (
          <TextInput
            mt="sm"
            label={question.reason.label}
            required={question.reason.required ?? false}
            maxLength={500}
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
            data-autofocus
          />
        )}
        <Group mt="md" justify="flex-end">
          <Button variant="default" onClick={() => question.answer(undefined)}>
            {t("confirm.no")}
          </Button>
          <Button type="submit" color={question.dangerous ? "red.8" : "indigo"} data-autofocus={!question.reason || undefined}>
            {question.action}
          </Button>
        </Group>
      </form>
    </Modal>
  );
}

/** The name of a notice's button, for those who do not see its cross. */
function closing() {
  return { "aria-label": i18n.t("notice.close") };
}

/** Something was done. */
export function notifyDone(message: ReactNode): void {
  notifications.show({ message, color: "teal", role: "status", closeButtonProps: closing() });
}

/** Something was not done. */
export function notifyFailed(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  const fingerprint = error instanceof ApiError ? error.fingerprint : undefined;
  notifications.show({
    message: (
      <>
        {message}
        {fingerprint && <div className="mono quiet">{fingerprint}</div>}
      </>
    ),
    color: "red",
    autoClose: false,
    role: "alert",
    closeButtonProps: closing(),
  });
}

/** Something was done that can be undone. */
export function notifyUndo(message: ReactNode, undo: string, onUndo: () => void): void {
  const id = crypto.randomUUID();
  notifications.show({
    id,
    color: "indigo",
    role: "status",
    autoClose: 12_000,
    closeButtonProps: closing(),
    message: (
      <Group justify="space-between" wrap="nowrap">
        <span>{message}</span>
        <Button
          variant="subtle"
          onClick={() => {
            notifications.hide(id);
            onUndo();
          }}
        >
          {undo}
        </Button>
      </Group>
    ),
  });
}
