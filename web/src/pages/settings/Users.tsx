import { Button, Menu, Select } from "@mantine/core";
import { IconSelector, IconUsers } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { useMe } from "@/app/auth";
import { Allowed, Reasoned } from "@/components/Allowed";
import { confirm, notifyDone, notifyFailed, notifyUndo } from "@/components/confirm";
import { Empty } from "@/components/Empty";
import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { Tag } from "@/components/Status";
import { Time } from "@/components/Time";
import { proven } from "./proof";
import { accountQuery, PAGE_SIZE, rolesQuery, usersQuery, type User } from "./queries";
import { useRoleText } from "./roles";
import { Pager, RowsTable } from "./RowsTable";
import { ORGANIZATION_ROLES, parseMembersSearch, USER_STATUSES, type MembersSearch } from "./search";
import { SearchInput } from "./SearchInput";
import css from "./Settings.module.css";

const route = getRouteApi("/settings/members");

/** The organization's users, found on the server: their role changed, themselves deactivated and reinstated. */
export function Users() {
  const { t } = useTranslation(["settings", "admin"]);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const query = useQuery(usersQuery(search));
  const text = useRoleText();
  const page = search.page ?? 0;
  const show = (change: { [Name in keyof MembersSearch]?: MembersSearch[Name] | undefined }) =>
    void navigate({ search: (before) => parseMembersSearch({ ...before, page: undefined, ...change }), replace: true, resetScroll: false });
  const filtered = search.search !== undefined || search.role !== undefined || search.status !== undefined;
  return (
    <>
      <div className={css.filters} role="search">
        <SearchInput label={t("admin:members.search")} value={search.search ?? ""} onSearch={(words) => show({ search: words })} />
        <Select
          aria-label={t("members.role")}
          placeholder={t("admin:members.anyRole")}
          data={ORGANIZATION_ROLES.map((value) => ({ value, label: text(value).name }))}
          value={search.role ?? null}
          clearable
          clearButtonProps={{ "aria-label": t("admin:members.anyRole") }}
          onChange={(role) => show({ role: role ?? undefined })}
        />
        <Select
          aria-label={t("members.status")}
          placeholder={t("admin:members.anyStatus")}
          data={USER_STATUSES.map((value) => ({ value, label: t(`members.is.${value}`) }))}
          value={search.status ?? null}
          clearable
          clearButtonProps={{ "aria-label": t("admin:members.anyStatus") }}
          onChange={(status) => show({ status: status ?? undefined })}
        />
      </div>
      {query.error && <Failure error={query.error} onRetry={() => void query.refetch()} />}
      {!query.data && !query.error && <Loading />}
      {query.data?.totalElements === 0 && (
        <Empty icon={IconUsers} title={t(filtered ? "admin:members.noneFound" : "members.none")} text={filtered ? t("admin:members.noneFoundText") : undefined} />
      )}
      {query.data && query.data.totalElements > 0 && (
        <>
          <RowsTable
            label={t("members.title")}
            rows={query.data.content}
            keyOf={(user) => user.id}
            columns={[
              { id: "name", header: t("members.name"), cell: (user) => <NameOf user={user} /> },
              { id: "role", header: t("members.role"), cell: (user) => <Role user={user} /> },
              {
                id: "status",
                header: t("members.status"),
                cell: ({ status }) => <Tag tone={status === "ACTIVE" ? "good" : "quiet"} text={t(`members.is.${status}`)} />,
              },
              {
                id: "factor",
                header: t("admin:members.factor"),
                cell: ({ secondFactor }) => (secondFactor ? <Tag tone="good" text={t("admin:on")} /> : <span className="quiet">{t("admin:off")}</span>),
              },
              {
                id: "seen",
                header: t("members.lastSignIn"),
                cell: ({ lastSignInDateTime: at }) => (at ? <Time at={at} relative /> : <span className="quiet">{t("never")}</span>),
              },
              { id: "acts", header: t("acts"), align: "end", cell: (user) => <Acts user={user} /> },
            ]}
          />
          <Pager page={page} size={PAGE_SIZE} total={query.data.totalElements} onPage={(next) => show({ page: next || undefined })} />
        </>
      )}
    </>
  );
}

function nameOf(user: User): string {
  return `${user.profile.firstName} ${user.profile.lastName}`.trim() || user.email;
}

function NameOf({ user }: { user: User }) {
  const { t } = useTranslation("settings");
  const me = useMe();
  return (
    <>
      <div className={css.name}>
        {nameOf(user)} {user.id === me.id && <Tag tone="quiet" text={t("members.you")} />}
      </div>
      <span className="quiet">{user.email}</span>
    </>
  );
}

/** Why one may not touch a user: undefined where one may. */
function useWhyNot(user: User): string | undefined {
  const { t } = useTranslation("settings");
  const me = useMe();
  const { data: account } = useQuery(accountQuery);
  if (user.id === me.id) return t("members.yourself");
  if (user.roleId === "owner" && account?.role !== "owner") return t("members.ownersOnly");
  return undefined;
}

function useChange() {
  const queryClient = useQueryClient();
  return async (call: () => Promise<unknown>, done: () => void) => {
    try {
      await proven(call);
      done();
    } catch (error) {
      notifyFailed(error);
    }
    await queryClient.invalidateQueries({ queryKey: ["settings", "users"] });
  };
}

function Role({ user }: { user: User }) {
  const { t } = useTranslation("settings");
  const { data: account } = useQuery(accountQuery);
  const { data: roles = [] } = useQuery(rolesQuery);
  const text = useRoleText();
  const why = useWhyNot(user);
  const change = useChange();
  const set = (roleId: string) =>
    got(api.PUT("/organizations/users/{userId}/role", { params: { path: { userId: user.id } }, body: { roleId } }));
  const choose = (roleId: string) => {
    const back = () => void change(() => set(user.roleId), () => notifyDone(t("members.roleBack")));
    void change(
      () => set(roleId),
      () => notifyUndo(t("members.roleDone", { name: nameOf(user), role: text(roleId).name }), t("undo"), back),
    );
  };
  const button = (
    <Button
      variant="default"
      rightSection={<IconSelector size={14} aria-hidden />}
      aria-label={t("members.roleOf", { name: nameOf(user), role: text(user.roleId).name })}
    >
      {text(user.roleId).name}
    </Button>
  );
  if (why !== undefined) return <Reasoned reason={why}>{button}</Reasoned>;
  return (
    <Menu position="bottom-start" width={300}>
      <Menu.Target>{button}</Menu.Target>
      <Menu.Dropdown>
        {roles
          .filter(({ id }) => id !== "owner" || account?.role === "owner")
          .map(({ id, description }) => (
            <Menu.RadioItem key={id} value={id} checked={id === user.roleId} closeMenuOnClick onChange={() => id !== user.roleId && choose(id)}>
              <div className={css.name}>{text(id).name}</div>
              <div className="quiet">{text(id).description ?? description}</div>
            </Menu.RadioItem>
          ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function Acts({ user }: { user: User }) {
  const { t } = useTranslation(["settings", "admin"]);
  const why = useWhyNot(user);
  const change = useChange();
  const name = nameOf(user);
  const path = { params: { path: { userId: user.id } } };
  const reinstate = () =>
    change(() => got(api.POST("/organizations/users/{userId}/reinstate", path)), () => notifyDone(t("members.reinstated", { name })));
  const deactivate = async () => {
    const sure = await confirm({
      title: t("members.deactivateNamed", { name }),
      text: t("members.deactivateText"),
      action: t("members.deactivate"),
      dangerous: true,
    });
    if (sure === undefined) return;
    await change(() => got(api.POST("/organizations/users/{userId}/terminate", path)), () => notifyDone(t("members.deactivated", { name })));
  };
  const reset = async () => {
    const sure = await confirm({
      title: t("admin:members.resetNamed", { name }),
      text: t("admin:members.resetText"),
      action: t("admin:members.reset"),
      dangerous: true,
    });
    if (sure === undefined) return;
    await change(() => got(api.POST("/organizations/users/{userId}/reset-mfa", path)), () => notifyDone(t("admin:members.resetDone", { name })));
  };
  const active = user.status === "ACTIVE";
  return (
    <span className={css.acts}>
      {user.secondFactor && (
        <Allowed by="can_reset_2fa" reason={why}>
          <Button variant="default" aria-label={t("admin:members.resetNamed", { name })} onClick={() => void reset()}>
            {t("admin:members.reset")}
          </Button>
        </Allowed>
      )}
      <Reasoned reason={why}>
      <Button
        variant="default"
        aria-label={t(active ? "members.deactivateNamed" : "members.reinstateNamed", { name })}
        onClick={() => void (active ? deactivate() : reinstate())}
      >
        {t(active ? "members.deactivate" : "members.reinstate")}
      </Button>
      </Reasoned>
    </span>
  );
}
