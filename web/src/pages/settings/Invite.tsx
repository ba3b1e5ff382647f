import { Radio, Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { useMe } from "@/app/auth";
import { LANGUAGES } from "@/app/i18n";
import { FormDialog } from "@/components/FormDialog";
import { useSaving } from "./change";
import { accountQuery, rolesQuery } from "./queries";
import { useRoleText } from "./roles";
import css from "./Settings.module.css";

const ADDRESS = /^\S+@\S+$/;
const WORKSPACE_ROLES = ["operator", "reviewer", "developer", "viewer"] as const;

/** A dialogue that sends an invitation. */
export function Invite({ onClose }: { onClose: () => void }) {
  const { t, i18n } = useTranslation("settings");
  const { workspace } = useMe();
  const save = useSaving(onClose, "settings", "invitations");
  const text = useRoleText();
  const { data: account } = useQuery(accountQuery);
  const { data: roles = [] } = useQuery(rolesQuery);
  const [email, setEmail] = useState("");
  const [firstName, setFirstName] = useState("");
  const [lastName, setLastName] = useState("");
  const [roleId, setRoleId] = useState("member");
  const [workspaceRole, setWorkspaceRole] = useState("operator");
  const [language, setLanguage] = useState(i18n.language);
  const missing = ADDRESS.test(email.trim()) ? undefined : t("invite.needsEmail");
  const send = () => {
    // Owners and administrators enter every workspace anyway.
    const workspaces = roleId === "member" ? [{ workspaceId: workspace.id, roleId: workspaceRole }] : [];
    const body = { email: email.trim(), roleId, firstName: firstName.trim() || null, lastName: lastName.trim() || null, language, workspaces };
    return save(() => got(api.POST("/organizations/enrollments", { body })), () => t("invite.done", { email: email.trim() }));
  };
  return (
    <FormDialog title={t("invite.title")} size="lg" missing={missing} action={t("invite.do")} send={send} onClose={onClose}>
      <div className={css.pair}>
        <TextInput
          type="email"
          label={t("invite.email")}
          autoComplete="off"
          maxLength={320}
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
          data-autofocus
        />
        <Select
          label={t("invite.language")}
          data={Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }))}
          value={language}
          allowDeselect={false}
          onChange={(value) => setLanguage(value ?? language)}
        />
        <TextInput label={t("account.firstName")} autoComplete="off" maxLength={100} value={firstName} onChange={(event) => setFirstName(event.currentTarget.value)} />
        <TextInput label={t("account.lastName")} autoComplete="off" maxLength={100} value={lastName} onChange={(event) => setLastName(event.currentTarget.value)} />
      </div>
      <Radio.Group mt="md" size="xs" label={t("invite.role")} value={roleId} onChange={setRoleId}>
        <div className={css.boxes}>
          {roles.map(({ id, description }) => (
            <Radio
              key={id}
              size="xs"
              value={id}
              label={text(id).name}
              description={id === "owner" && account?.role !== "owner" ? t("members.ownersOnly") : (text(id).description ?? description)}
              disabled={id === "owner" && account?.role !== "owner"}
            />
          ))}
        </div>
      </Radio.Group>
      {roleId === "member" && (
        <Radio.Group mt="md" size="xs" label={t("invite.workspaceRole", { workspace: workspace.name })} value={workspaceRole} onChange={setWorkspaceRole}>
          <div className={css.boxes}>
            {WORKSPACE_ROLES.map((id) => (
              <Radio key={id} size="xs" value={id} label={text(id).name} description={text(id).description} />
            ))}
          </div>
        </Radio.Group>
      )}
    </FormDialog>
  );
}
