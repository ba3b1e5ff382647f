import { Button, Group, Modal, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";

import { session, sessionResumed, signInAddress } from "./auth";
import { under } from "./prefix";

/** The session has ended while a page was open: sign in beside it, and go on; what was typed stays. */
export function SessionDialog() {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const ended = useSyncExternalStore(session.subscribe, () => session.hasEnded);
  useEffect(() => {
    if (!ended) return;
    const look = async () => {
      const answer = await fetch(under("/me"), { credentials: "same-origin" });
      if (!answer.ok) return;
      sessionResumed();
      await queryClient.invalidateQueries();
    };
    const looking = () => void look();
    window.addEventListener("focus", looking);
    return () => window.removeEventListener("focus", looking);
  }, [ended, queryClient]);
  return (
    <Modal closeButtonProps={{ "aria-label": t("close") }} opened={ended} onClose={sessionResumed} title={t("session.title")}>
      <Text size="sm">{t("session.text")}</Text>
      <Group mt="md" justify="flex-end">
        <Button component="a" href={signInAddress("/app/signed-in")} target="_blank" rel="opener">
          {t("session.signIn")}
        </Button>
      </Group>
    </Modal>
  );
}
