import { Alert, Button, Group, Modal, Select } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";

import { api, got, type Schemas } from "@/api/client";
import { useMe } from "@/app/auth";
import { PREFIX } from "@/app/prefix";
import { Allowed } from "@/components/Allowed";
import { confirm, notifyFailed } from "@/components/confirm";
import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { Section } from "@/components/Section";
import { useChange } from "./change";
import { Copied } from "./Copied";
import { Facts } from "./Facts";
import { proven } from "./proof";
import { groupsQuery, workspaceRolesQuery } from "./queries";
import { useRoleText } from "./roles";
import { RowsTable } from "./RowsTable";
import css from "./Settings.module.css";

type UserGroup = Schemas["GroupAnswer"];
const NONE = "none";
const SCIM_ADDRESS = `${location.origin}${PREFIX}/scim/v2`;

/** SCIM: its address, a token for it, and what the groups that it keeps give. */
export function Provisioning() {
  const { t } = useTranslation("admin");
  const [token, setToken] = useState<string>();
  const make = async () => {
    const sure = await confirm({ title: t("scim.make"), text: t("scim.makeText"), action: t("scim.make") });
    if (sure === undefined) return;
    try {
      const body: Schemas["KeyBody"] = { name: "SCIM", kind: "token", permissions: ["can_manage_users"], grants: [], roles: [], networks: [], apiVersion: 2 };
      const made = await proven(() => got(api.POST("/keys", { body })));
      setToken(made.secret);
    } catch (error) {
      notifyFailed(error);
    }
  };
  return (
    <Section
      title={t("scim.title")}
      actions={
        <Allowed by="can_manage_keys">
          <Button variant="default" onClick={() => void make()}>
            {t("scim.make")}
          </Button>
        </Allowed>
      }
    >
      <p className={css.partText}>{t("scim.text")}</p>
      <Facts facts={[{ name: t("scim.address"), value: <Copied value={SCIM_ADDRESS} what={t("scim.address")} /> }]} />
      <Groups />
      {token !== undefined && <Token token={token} onClose={() => setToken(undefined)} />}
    </Section>
  );
}

function Token({ token, onClose }: { token: string; onClose: () => void }) {
  const { t } = useTranslation(["admin", "common"]);
  return (
    <Modal opened onClose={onClose} closeOnClickOutside={false} closeButtonProps={{ "aria-label": t("common:close") }} title={t("scim.made")} size="lg">
      <Alert color="yellow" icon={<IconAlertTriangle size={18} />}>
        {t("scim.madeText")}
      </Alert>
      <Facts facts={[{ name: t("scim.token"), value: <Copied value={token} what={t("scim.token")} /> }]} />
      <Group mt="md" justify="flex-end">
        <Button onClick={onClose}>{t("scim.copied")}</Button>
      </Group>
    </Modal>
  );
}

function Groups() {
  const { t } = useTranslation(["admin", "settings"]);
  const { workspace } = useMe();
  const query = useQuery(groupsQuery);
  const text = useRoleText();
  const [editing, setEditing] = useState<UserGroup>();
  if (query.error) return <Failure error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data) return <Loading />;
  if (query.data.length === 0) return <p className={css.partText}>{t("scim.noGroups")}</p>;
  const here = (group: UserGroup) => group.workspaces.find(({ workspaceId }) => workspaceId === workspace.id)?.roleId;
  return (
    <>
      <RowsTable
        label={t("scim.groups")}
        rows={query.data}
        keyOf={(group) => group.id}
        columns={[
          {
            id: "name",
            header: t("scim.group"),
            cell: ({ name, members }) => (
              <>
                <div className={css.name}>{name}</div>
                <span className="quiet">{t("roles.holders", { count: members })}</span>
              </>
            ),
          },
          { id: "role", header: t("scim.roleOrganization"), cell: ({ roleId }) => (roleId ? text(roleId).name : <span className="quiet">–</span>) },
          {
            id: "here",
            header: t("scim.roleHere", { workspace: workspace.name }),
            cell: (group) => {
              const role = here(group);
              return role ? text(role).name : <span className="quiet">–</span>;
            },
          },
          {
            id: "acts",
            header: t("settings:acts"),
            align: "end",
            cell: (group) => (
              <Button variant="default" onClick={() => setEditing(group)} aria-label={t("scim.giveNamed", { name: group.name })}>
                {t("scim.give")}
              </Button>
            ),
          },
        ]}
      />
      {editing && <Give group={editing} onClose={() => setEditing(undefined)} />}
    </>
  );
}

function Give({ group, onClose }: { group: UserGroup; onClose: () => void }) {
  const { t } = useTranslation(["admin", "common"]);
  const { workspace } = useMe();
  const text = useRoleText();
  const change = useChange(...groupsQuery.queryKey);
  const { data: roles = [] } = useQuery(workspaceRolesQuery(workspace.id));
  const [role, setRole] = useState(group.roleId ?? NONE);
  const [here, setHere] = useState(group.workspaces.find(({ workspaceId }) => workspaceId === workspace.id)?.roleId ?? NONE);
  const others = group.workspaces.filter(({ workspaceId }) => workspaceId !== workspace.id);
  const none = { value: NONE, label: t("scim.nothing") };
  const save = async () => {
    const body = {
      roleId: role === NONE ? null : role,
      workspaces: [...others, ...(here === NONE ? [] : [{ workspaceId: workspace.id, roleId: here }])],
    };
    const path = { groupId: group.id };
    if (await change(() => got(api.PUT("/organizations/groups/{groupId}/roles", { params: { path }, body })), t("scim.given", { name: group.name }))) onClose();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void save();
  };
  return (
    <Modal closeButtonProps={{ "aria-label": t("common:close") }} opened onClose={onClose} title={t("scim.giveNamed", { name: group.name })}>
      <form onSubmit={submit} className={css.form}>
        <Select
          label={t("scim.roleOrganization")}
          data={[none, { value: "member", label: text("member").name }, { value: "admin", label: text("admin").name }]}
          value={role}
          allowDeselect={false}
          onChange={(value) => setRole(value ?? role)}
        />
        <Select
          label={t("scim.roleHere", { workspace: workspace.name })}
          data={[none, ...roles.map(({ name }) => ({ value: name, label: text(name).name }))]}
          value={here}
          allowDeselect={false}
          onChange={(value) => setHere(value ?? here)}
        />
        <p className={css.partText}>{t("scim.giveText")}</p>
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t("common:confirm.no")}
          </Button>
          <Button type="submit">{t("scim.give")}</Button>
        </Group>
      </form>
    </Modal>
  );
}
