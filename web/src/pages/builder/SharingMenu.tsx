import { ActionIcon, Menu } from "@mantine/core";
import { IconDots, IconShare, IconTrash, IconUser } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { confirm, notifyDone, notifyFailed } from "@/components/confirm";
import { letDraftGo, type Draft } from "./saving";

/** Who sees a draft, and letting go of it. */
export function SharingMenu({ draft }: { draft: Draft }) {
  const { t } = useTranslation("builder");
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const [shared, setShared] = useState(draft.shared);
  const path = { draftId: draft.id };
  const share = useMutation({
    mutationFn: (wanted: boolean) => got(api.PATCH("/drafts/{draftId}", { params: { path }, body: { shared: wanted } })),
    onSuccess: (saved) => {
      setShared(saved.shared);
      notifyDone(t(saved.shared ? "share.done" : "share.undone"));
    },
    onError: notifyFailed,
    onSettled: () => queryClient.invalidateQueries({ queryKey: ["drafts", "list"] }),
  });
  const discard = async () => {
    const answer = await confirm({ title: t("discard.title"), text: t("discard.text"), action: t("discard.do"), dangerous: true });
    if (answer === undefined) return;
    try {
      await letDraftGo(draft.id);
      await queryClient.invalidateQueries({ queryKey: ["drafts", "list"] });
      await navigate({ to: "/definitions" });
    } catch (error) {
      notifyFailed(error);
    }
  };
  if (!draft.mine) return null;
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon aria-label={t("draftMenu")}>
          <IconDots size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={shared ? <IconUser size={14} /> : <IconShare size={14} />} onClick={() => share.mutate(!shared)}>
          {t(shared ? "share.undo" : "share.do")}
        </Menu.Item>
        <Menu.Item color="red" leftSection={<IconTrash size={14} />} onClick={() => void discard()}>
          {t("discard.do")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
