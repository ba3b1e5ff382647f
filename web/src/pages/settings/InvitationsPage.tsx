import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { PageHeader } from "@/components/PageHeader";
import { Invite } from "./Invite";
import { Invitations } from "./Invitations";
import { Needs } from "./Needs";

/** Who was invited, and the way to invite others. */
export function InvitationsPage() {
  const { t } = useTranslation("settings");
  const [inviting, { open, close }] = useDisclosure();
  return (
    <Needs permission="can_manage_users" title={t("invitations.title")}>
      <PageHeader
        title={t("invitations.title")}
        below={t("invitations.noneText")}
        actions={
          <Button leftSection={<IconPlus size={15} />} onClick={open}>
            {t("invite.title")}
          </Button>
        }
      />
      <Invitations />
      {inviting && <Invite onClose={close} />}
    </Needs>
  );
}
