import { Button } from "@mantine/core";
import { IconCheck, IconCircleHalf2, IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { useMay, useMe } from "@/app/auth";
import { Allowed, Reasoned } from "@/components/Allowed";
import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { PageHeader } from "@/components/PageHeader";
import { Section } from "@/components/Section";
import { useRemoval } from "./change";
import { Needs } from "./Needs";
import { grouped, isKnown } from "./permissions";
import { permissionsHereQuery, workspaceRolesQuery, type WorkspaceRole } from "./queries";
import { useRoleText } from "./roles";
import { RowsTable } from "./RowsTable";
import css from "./Settings.module.css";

/** The roles of the workspace: who has which, and what each allows. */
export function RolesPage() {
  const { t } = useTranslation("admin");
  return (
    <Needs permission="can_view_workspace" title={t("roles.title")}>
      <Roles />
    </Needs>
  );
}

function Roles() {
  const { t } = useTranslation(["admin", "settings"]);
  const { workspace } = useMe();
  const query = useQuery(workspaceRolesQuery(workspace.id));
  const text = useRoleText();
  if (query.error) return <Failure error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data) return <Loading />;
  return (
    <>
      <PageHeader
        title={t("roles.title")}
        below={t("roles.text", { workspace: workspace.name })}
        actions={
          <Allowed by="can_manage_workspace_access">
            <Button leftSection={<IconPlus size={15} />} component={Link} to="/settings/roles/new">
              {t("roles.new")}
            </Button>
          </Allowed>
        }
      />
      <RowsTable
        label={t("roles.title")}
        rows={query.data}
        keyOf={(role) => role.name}
        columns={[
          {
            id: "name",
            header: t("settings:members.role"),
            cell: (role) => (
              <>
                <div className={css.name}>{text(role.name).name}</div>
                <span className="quiet">{text(role.name).description ?? role.description}</span>
              </>
            ),
          },
          { id: "members", header: t("roles.members"), cell: (role) => <Holders role={role} /> },
          { id: "acts", header: t("settings:acts"), align: "end", cell: (role) => <Acts role={role} /> },
        ]}
      />
      <Section title={t("roles.matrix")}>
        <p className={css.partText}>{t("roles.matrixText")}</p>
        <Matrix roles={query.data} />
      </Section>
    </>
  );
}

function Holders({ role }: { role: WorkspaceRole }) {
  const { t } = useTranslation("admin");
  const may = useMay("can_manage_workspace_access");
  const words = t("roles.holders", { count: role.members });
  if (!may || role.members === 0) return <span className={`quiet ${css.together}`}>{words}</span>;
  return (
    <Link to="/settings/access" search={{ role: role.name }} className={css.together}>
      {words}
    </Link>
  );
}

function Acts({ role }: { role: WorkspaceRole }) {
  const { t } = useTranslation(["admin", "settings"]);
  const { workspace } = useMe();
  const remove = useRemoval("settings", "workspaceRoles");
  if (role.type === "BUILT_IN") return <span className={`quiet ${css.together}`}>{t("roles.builtIn")}</span>;
  const { name } = role;
  const removeIt = () =>
    remove(
      { title: t("roles.deleteNamed", { name }), text: t("roles.deleteText"), action: t("roles.delete") },
      () => got(api.DELETE("/workspaces/{workspaceId}/roles/{name}", { params: { path: { workspaceId: workspace.id, name } } })),
      t("roles.deleted", { name }),
    );
  return (
    <span className={css.acts}>
      <Button variant="default" component={Link} to={`/settings/roles/${role.name}`} aria-label={t("roles.openNamed", { name: role.name })}>
        {t("roles.open")}
      </Button>
      <Allowed by="can_manage_workspace_access">
        <Reasoned reason={role.members > 0 ? t("roles.inUse") : undefined}>
          <Button variant="default" onClick={() => void removeIt()} aria-label={t("roles.deleteNamed", { name })}>
            {t("roles.delete")}
          </Button>
        </Reasoned>
      </Allowed>
    </span>
  );
}

/** Permissions by roles: yes, on some things only, or no. */
function Matrix({ roles }: { roles: readonly WorkspaceRole[] }) {
  const { t } = useTranslation(["admin", "settings"]);
  const { workspace } = useMe();
  const { data } = useQuery(permissionsHereQuery(workspace.id));
  const text = useRoleText();
  if (!data) return <Loading />;
  const given = data.filter(({ scope }) => scope === "workspace");
  return (
    <div className={css.scroll} role="group" aria-label={t("roles.matrix")} tabIndex={0}>
      <table className={css.matrix}>
        <thead>
          <tr>
            <td />
            {roles.map((role) => (
              <th key={role.name} scope="col">
                {text(role.name).name}
              </th>
            ))}
          </tr>
        </thead>
        {grouped(given).map(({ group, permissions }) => (
          <tbody key={group}>
            <tr>
              <th scope="rowgroup" colSpan={roles.length + 1} className={css.matrixGroup}>
                {t(`settings:permissionGroup.${group}`)}
              </th>
            </tr>
            {permissions.map(({ permission, allows }) => (
              <tr key={permission}>
                <th scope="row">
                  <code className="mono">{permission}</code>
                  <div className="quiet">{isKnown(permission) ? t(`settings:permission.${permission}`) : allows}</div>
                </th>
                {roles.map((role) => (
                  <td key={role.name}>
                    <Cell role={role} permission={permission} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        ))}
      </table>
    </div>
  );
}

function Cell({ role, permission }: { role: WorkspaceRole; permission: string }) {
  const { t } = useTranslation("admin");
  if (role.permissions.includes(permission)) return <IconCheck size={17} stroke={2.4} className={css.yes} role="img" aria-label={t("roles.yes")} />;
  const grants = role.grants.filter((grant) => grant.permissions.includes(permission));
  if (grants.length === 0) return <span className="quiet" role="img" aria-label={t("roles.no")}>–</span>;
  const things = grants.map((grant) => grant.table ?? grant.definition ?? grant.review ?? "").join(", ");
  return (
    <span title={things} className={css.some}>
      <IconCircleHalf2 size={16} aria-hidden />
      {t("roles.some", { things })}
    </span>
  );
}
