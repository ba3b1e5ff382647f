import { Button } from "@mantine/core";
import { IconMail } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { PageHeader } from "@/components/PageHeader";
import { Needs } from "./Needs";
import { Users } from "./Users";

/** The people of the organization. */
export function MembersPage() {
  const { t } = useTranslation("settings");
  return (
    <Needs permission="can_manage_users" title={t("members.title")}>
      <PageHeader
        title={t("members.title")}
        below={t("members.text")}
        actions={
          <Button variant="default" leftSection={<IconMail size={15} />} component={Link} to="/settings/invitations">
            {t("invitations.title")}
          </Button>
        }
      />
      <Users />
    </Needs>
  );
}
