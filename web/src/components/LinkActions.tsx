import { Button, Modal, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";

import { api, got, type Schemas } from "@/api/client";
import { Allowed } from "./Allowed";
import { confirm, notifyDone, notifyFailed } from "./confirm";
import { CopyButton } from "./CopyButton";
import { Notice } from "./Notice";

type Link = Schemas["ListedLinkAnswer"];

const OVER = ["FINISHED", "CANCELLED", "EXPIRED", "UNKNOWN"];

/** Sends a link again, and withdraws it. */
export function LinkActions({ link, onSettled }: { link: Link; onSettled: () => unknown }) {
  const { t } = useTranslation();
  const [opened, setOpened] = useState(false);
  const [email, setEmail] = useState("");
  const path = { linkId: link.linkId };
  const resend = useMutation({
    mutationFn: () =>
      got(api.POST("/link/{linkId}/resend", { params: { path }, body: { email: email.trim() || null } })),
    onSettled,
  });
  const withdraw = useMutation({
    mutationFn: () => api.DELETE("/link/{linkId}", { params: { path } }),
    onSuccess: () => notifyDone(t("link.withdrawn")),
    onError: notifyFailed,
    onSettled,
  });
  const ask = async () => {
    const question = { title: t("link.withdrawTitle"), text: t("link.withdrawText"), action: t("link.withdraw"), dangerous: true };
    if ((await confirm(question)) !== undefined) withdraw.mutate();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    resend.mutate();
  };
  const close = () => {
    setOpened(false);
    resend.reset();
  };
  const live = link.state === "FRESH" || link.state === "SPENT";
  return (
    <>
      <Allowed by="can_manage_links" reason={OVER.includes(link.state) ? t("link.over") : undefined}>
        <Button variant="default" size="compact-xs" onClick={() => setOpened(true)}>
          {t("link.resend")}
        </Button>
      </Allowed>
      <Allowed by="can_manage_links" reason={live ? undefined : t("link.dead")}>
        <Button variant="default" size="compact-xs" loading={withdraw.isPending} onClick={() => void ask()}>
          {t("link.withdraw")}
        </Button>
      </Allowed>
      <Modal closeButtonProps={{ "aria-label": t("close") }} opened={opened} onClose={close} title={t("link.resendTitle")}>
        {resend.data ? (
          <>
            <Notice tone="busy" title={t("link.sent")}>
              {t("link.once")}
            </Notice>
            <code style={{ overflowWrap: "anywhere" }}>{resend.data.link}</code>
            <CopyButton value={resend.data.link} what={t("link.what")} />
          </>
        ) : (
          <form onSubmit={submit}>
            <p>{link.state === "FRESH" ? t("link.sameAgain") : t("link.newOne")}</p>
            <TextInput
              type="email"
              label={t("link.to")}
              placeholder={link.email ?? ""}
              required={!link.email}
              value={email}
              onChange={(event) => setEmail(event.currentTarget.value)}
              error={resend.error?.message}
              data-autofocus
            />
            <Button type="submit" mt="md" loading={resend.isPending}>
              {t("link.resend")}
            </Button>
          </form>
        )}
      </Modal>
    </>
  );
}
