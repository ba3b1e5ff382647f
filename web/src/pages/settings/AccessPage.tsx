import { Button, Menu, Select } from "@mantine/core";
import { useDebouncedValue, useDisclosure } from "@mantine/hooks";
import { IconPlus, IconSelector, IconUsers } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { useMe } from "@/app/auth";
import { Reasoned } from "@/components/Allowed";
import { Empty } from "@/components/Empty";
import { Failure } from "@/components/Failure";
import { FormDialog } from "@/components/FormDialog";
import { Loading } from "@/components/Loading";
import { PageHeader } from "@/components/PageHeader";
import { Tag } from "@/components/Status";
import { Time } from "@/components/Time";
import { useChange, useRemoval, useSaving } from "./change";
import { Needs } from "./Needs";
import { accessQuery, PAGE_SIZE, usersQuery, workspaceRolesQuery, type Member } from "./queries";
import { useRoleText } from "./roles";
import { Pager, RowsTable } from "./RowsTable";
import { ORGANIZATION_ROLES, parseAccessSearch, type AccessSearch } from "./search";
import { SearchInput } from "./SearchInput";
import css from "./Settings.module.css";

const route = getRouteApi("/settings/access");

/** Who comes into this workspace, and with which role. */
export function AccessPage() {
  const { t } = useTranslation("admin");
  return (
    <Needs permission="can_manage_workspace_access" title={t("access.title")}>
      <Access />
    </Needs>
  );
}

function Access() {
  const { t } = useTranslation(["admin", "settings"]);
  const { workspace } = useMe();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const text = useRoleText();
  const query = useQuery(accessQuery(workspace.id, search));
  const { data: roles = [] } = useQuery(workspaceRolesQuery(workspace.id));
  const [adding, { open, close }] = useDisclosure();
  const show = (change: { [Name in keyof AccessSearch]?: AccessSearch[Name] | undefined }) =>
    void navigate({ search: (before) => parseAccessSearch({ ...before, page: undefined, ...change }), replace: true, resetScroll: false });
  const filtered = search.search !== undefined || search.role !== undefined;
  const names = [...new Set([...roles.map(({ name }) => name), ...ORGANIZATION_ROLES.filter((name) => name !== "member")])];
  return (
    <>
      <PageHeader
        title={t("access.title")}
        below={t("access.text", { workspace: workspace.name })}
        actions={
          <Button leftSection={<IconPlus size={15} />} onClick={open}>
            {t("access.add")}
          </Button>
        }
      />
      <div className={css.filters} role="search">
        <SearchInput label={t("members.search")} value={search.search ?? ""} onSearch={(words) => show({ search: words })} />
        <Select
          aria-label={t("settings:members.role")}
          placeholder={t("members.anyRole")}
          data={names.map((value) => ({ value, label: text(value).name }))}
          value={search.role ?? null}
          clearable
          searchable={names.length > 8}
          clearButtonProps={{ "aria-label": t("members.anyRole") }}
          onChange={(role) => show({ role: role ?? undefined })}
        />
      </div>
      {query.error && <Failure error={query.error} onRetry={() => void query.refetch()} />}
      {!query.data && !query.error && <Loading />}
      {query.data?.totalElements === 0 && (
        <Empty icon={IconUsers} title={t(filtered ? "members.noneFound" : "access.none")} text={t(filtered ? "members.noneFoundText" : "access.noneText")} />
      )}
      {query.data && query.data.totalElements > 0 && (
        <>
          <RowsTable
            label={t("access.title")}
            rows={query.data.content}
            keyOf={(member) => member.userId}
            columns={[
              { id: "name", header: t("settings:members.name"), cell: (member) => <NameOf member={member} /> },
              { id: "role", header: t("settings:members.role"), cell: (member) => <RoleHere member={member} names={roles.map(({ name }) => name)} /> },
              { id: "since", header: t("access.since"), cell: ({ role }) => <Time at={role.createdDateTime} /> },
              { id: "acts", header: t("settings:acts"), align: "end", cell: (member) => <Remove member={member} /> },
            ]}
          />
          <Pager page={search.page ?? 0} size={PAGE_SIZE} total={query.data.totalElements} onPage={(next) => show({ page: next || undefined })} />
        </>
      )}
      {adding && <Add names={roles.map(({ name }) => name)} onClose={close} />}
    </>
  );
}

function NameOf({ member }: { member: Member }) {
  return (
    <>
      <div className={css.name}>{member.name || member.email}</div>
      {member.name && <span className="quiet">{member.email}</span>}
    </>
  );
}

function RoleHere({ member, names }: { member: Member; names: readonly string[] }) {
  const { t } = useTranslation(["admin", "settings"]);
  const { workspace } = useMe();
  const text = useRoleText();
  const change = useChange("settings", "access");
  if (member.role.type === "INHERITED") {
    return (
      <>
        {text(member.role.id).name} <Tag tone="quiet" text={t("access.inherited")} />
      </>
    );
  }
  const name = member.name || member.email;
  const give = (roleId: string) =>
    change(
      () => got(api.POST("/workspaces/{workspaceId}/memberships", { params: { path: { workspaceId: workspace.id } }, body: { userId: member.userId, roleId } })),
      t("settings:members.roleDone", { name, role: text(roleId).name }),
    );
  return (
    <Menu position="bottom-start" width={300}>
      <Menu.Target>
        <Button
          variant="default"
          rightSection={<IconSelector size={14} aria-hidden />}
          aria-label={t("settings:members.roleOf", { name, role: text(member.role.id).name })}
        >
          {text(member.role.id).name}
        </Button>
      </Menu.Target>
      <Menu.Dropdown mah={320} style={{ overflowY: "auto" }}>
        {names.map((id) => (
          <Menu.RadioItem key={id} value={id} checked={id === member.role.id} closeMenuOnClick onChange={() => id !== member.role.id && void give(id)}>
            <div className={css.name}>{text(id).name}</div>
            {text(id).description && <div className="quiet">{text(id).description}</div>}
          </Menu.RadioItem>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function Remove({ member }: { member: Member }) {
  const { t } = useTranslation("admin");
  const { workspace } = useMe();
  const removal = useRemoval("settings", "access");
  const name = member.name || member.email;
  const remove = () =>
    removal(
      { title: t("access.removeNamed", { name }), text: t("access.removeText", { workspace: workspace.name }), action: t("access.remove") },
      () => got(api.DELETE("/workspaces/{workspaceId}/memberships/{userId}", { params: { path: { workspaceId: workspace.id, userId: member.userId } } })),
      t("access.removed", { name }),
    );
  return (
    <Reasoned reason={member.role.type === "INHERITED" ? t("access.byOrganization") : undefined}>
      <Button variant="default" aria-label={t("access.removeNamed", { name })} onClick={() => void remove()}>
        {t("access.remove")}
      </Button>
    </Reasoned>
  );
}

function Add({ names, onClose }: { names: readonly string[]; onClose: () => void }) {
  const { t } = useTranslation(["admin", "settings"]);
  const { workspace } = useMe();
  const text = useRoleText();
  const save = useSaving(onClose, "settings", "access");
  const [words, setWords] = useState("");
  const [sought] = useDebouncedValue(words, 250);
  // The answer to other words would offer somebody who is not meant.
  const { data, isPlaceholderData } = useQuery(usersQuery({ search: sought.trim(), status: "ACTIVE" }));
  const looking = !data || isPlaceholderData || sought !== words;
  const [userId, setUserId] = useState<string | null>(null);
  const [roleId, setRoleId] = useState("operator");
  const missing = userId ? undefined : t("access.needsUser");
  const add = () =>
    save(
      () => got(api.POST("/workspaces/{workspaceId}/memberships", { params: { path: { workspaceId: workspace.id } }, body: { userId: userId ?? "", roleId } })),
      () => t("access.added"),
    );
  return (
    <FormDialog title={t("access.add")} missing={missing} action={t("access.add")} send={add} onClose={onClose} className={css.form}>
      <Select
        label={t("access.user")}
        description={t("access.userHint")}
        data={(looking ? [] : data.content).map((user) => ({ value: user.id, label: `${user.profile.firstName} ${user.profile.lastName}`.trim() ? `${user.profile.firstName} ${user.profile.lastName} · ${user.email}` : user.email }))}
        value={userId}
        searchable
        filter={({ options }) => options}
        nothingFoundMessage={t(looking ? "uses.looking" : "members.noneFound")}
        onSearchChange={setWords}
        onChange={setUserId}
        data-autofocus
      />
      <Select
        label={t("settings:invite.workspaceRole", { workspace: workspace.name })}
        data={names.map((value) => ({ value, label: text(value).name }))}
        value={roleId}
        allowDeselect={false}
        onChange={(value) => setRoleId(value ?? roleId)}
      />
      <p className={css.partText}>{text(roleId).description}</p>
    </FormDialog>
  );
}
