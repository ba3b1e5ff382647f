import { Button, Select } from "@mantine/core";
import { IconMail } from "@tabler/icons-react";
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { confirm, notifyDone, notifyFailed } from "@/components/confirm";
import { Empty } from "@/components/Empty";
import { Time } from "@/components/Time";
import { proven } from "./proof";
import { invitationsQuery, type Invitation } from "./queries";
import { useRoleText } from "./roles";
import { Rows } from "./Rows";
import { INVITATION_STATUSES, type InvitationStatus } from "./search";
import css from "./Settings.module.css";

const route = getRouteApi("/settings/invitations");

/** Who was invited: sent again, withdrawn. */
export function Invitations() {
  const { t } = useTranslation("settings");
  const { invitations: status = "PENDING" } = route.useSearch();
  const navigate = route.useNavigate();
  const query = useInfiniteQuery(invitationsQuery(status));
  const text = useRoleText();
  const show = (chosen: InvitationStatus) =>
    void navigate({ search: chosen === "PENDING" ? {} : { invitations: chosen }, replace: true, resetScroll: false });
  return (
    <>
      <div className={css.filters}>
        <Select
          aria-label={t("invitations.show")}
          data={INVITATION_STATUSES.map((value) => ({ value, label: t(`invitations.are.${value}`) }))}
          value={status}
          allowDeselect={false}
          onChange={(value) => show(value ?? "PENDING")}
        />
      </div>
      <Rows
        label={t("invitations.title")}
        query={query}
        keyOf={(invitation) => invitation.enrollmentId}
        empty={<Empty icon={IconMail} title={t(`invitations.none.${status}`)} text={status === "PENDING" ? t("invitations.noneText") : undefined} />}
        columns={[
          { id: "email", header: t("invite.email"), cell: ({ email }) => <span className={css.name}>{email}</span> },
          { id: "role", header: t("members.role"), cell: ({ roleId }) => text(roleId).name },
          { id: "sent", header: t("invitations.sent"), cell: ({ lastInvitationSentAt: at }) => <Time at={at} relative /> },
          { id: "by", header: t("invitations.by"), cell: ({ invitedBy }) => invitedBy },
          { id: "ends", header: t("invitations.ends"), cell: ({ expiresAt }) => <Time at={expiresAt} /> },
          { id: "acts", header: t("acts"), align: "end", cell: (invitation) => <Acts invitation={invitation} /> },
        ]}
      />
    </>
  );
}

function Acts({ invitation }: { invitation: Invitation }) {
  const { t } = useTranslation("settings");
  const queryClient = useQueryClient();
  const { email, status, enrollmentId } = invitation;
  const path = { params: { path: { enrollmentId } } };
  const act = async (call: () => Promise<unknown>, done: string) => {
    try {
      await proven(call);
      notifyDone(done);
    } catch (error) {
      notifyFailed(error);
    }
    await queryClient.invalidateQueries({ queryKey: ["settings", "invitations"] });
  };
  const cancel = async () => {
    const sure = await confirm({
      title: t("invitations.cancelNamed", { email }),
      text: t("invitations.cancelText"),
      action: t("invitations.cancel"),
      dangerous: true,
    });
    if (sure === undefined) return;
    await act(() => got(api.POST("/organizations/enrollments/{enrollmentId}/cancel", path)), t("invitations.cancelled", { email }));
  };
  if (status === "ACCEPTED" || status === "CANCELLED") return null;
  return (
    <span className={css.acts}>
      <Button
        variant="default"
        aria-label={t("invitations.resendNamed", { email })}
        onClick={() => void act(() => got(api.POST("/organizations/enrollments/{enrollmentId}/resend", path)), t("invitations.resent", { email }))}
      >
        {t("invitations.resend")}
      </Button>
      <Button variant="default" aria-label={t("invitations.cancelNamed", { email })} onClick={() => void cancel()}>
        {t("invitations.cancel")}
      </Button>
    </span>
  );
}
