import { Button, Group, Modal, type ModalProps } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { Reasoned } from "./Allowed";
import { Failure } from "./Failure";
import { useSending } from "./sending";

interface FormProps {
  /** Why it cannot be sent yet. */
  missing: string | undefined;
  /** What the button says: a verb. */
  action: string;
  send: () => Promise<void>;
  onClose: () => void;
  className?: string | undefined;
  children: ReactNode;
}

/** The form inside of a dialogue: what is missing, what failed, and the two ways out. */
export function DialogForm({ missing, action, send, onClose, className, children }: FormProps) {
  const { t } = useTranslation();
  const { busy, failure, onSubmit } = useSending(missing, send);
  return (
    <form onSubmit={onSubmit} className={className} noValidate>
      {children}
      {failure !== undefined && <Failure error={failure} />}
      <Group mt="md" justify="flex-end">
        <Button variant="default" onClick={onClose}>
          {t("confirm.no")}
        </Button>
        <Reasoned reason={missing}>
          <Button type="submit" loading={busy}>
            {action}
          </Button>
        </Reasoned>
      </Group>
    </form>
  );
}

interface FrameProps {
  title: string;
  size?: ModalProps["size"];
  onClose: () => void;
  children: ReactNode;
}

/** A dialogue in which something is typed, or shown once: a click beside it does not lose that. */
export function Dialog({ title, size, onClose, children }: FrameProps) {
  const { t } = useTranslation();
  return (
    <Modal closeButtonProps={{ "aria-label": t("close") }} opened onClose={onClose} closeOnClickOutside={false} title={title} {...(size && { size })}>
      {children}
    </Modal>
  );
}

/** A dialogue with a form. */
export function FormDialog({ title, size, ...form }: FormProps & Omit<FrameProps, "children">) {
  return (
    <Dialog title={title} size={size} onClose={form.onClose}>
      <DialogForm {...form} />
    </Dialog>
  );
}
