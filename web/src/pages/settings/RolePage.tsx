import { ActionIcon, Button, Checkbox, MultiSelect, Select, Textarea, TextInput } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, got, type Schemas } from "@/api/client";
import { useMe } from "@/app/auth";
import { Allowed } from "@/components/Allowed";
import { notifyDone } from "@/components/confirm";
import { Empty } from "@/components/Empty";
import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { Notice } from "@/components/Notice";
import { PageHeader } from "@/components/PageHeader";
import { Section } from "@/components/Section";
import { useSending } from "@/components/sending";
import { IconMoodEmpty } from "@tabler/icons-react";
import { isKnown } from "./permissions";
import { PermissionBoxes } from "./PermissionBoxes";
import { proven } from "./proof";
import { permissionsHereQuery, workspaceRolesQuery, type WorkspaceRole } from "./queries";
import css from "./Settings.module.css";

type Permission = Schemas["PermissionAnswer"];
type Kind = "table" | "definition" | "review";
const KINDS: readonly Kind[] = ["table", "definition", "review"];
const NAME = /^[a-z][a-z0-9_-]{0,62}$/;
const ALL = "*";

/** Permissions on one thing, as they are edited. */
interface Grant {
  id: string;
  kind: Kind;
  thing: string;
  permissions: string[];
  fields: string[];
  where: string;
  problem?: string | undefined;
}

const oneRoute = getRouteApi("/settings/roles/$name");

/** A role of the workspace's own that is not there yet. */
export function NewRolePage() {
  return <Editor role={undefined} />;
}

/** A role of the workspace's own. */
export function RolePage() {
  const { t } = useTranslation("admin");
  const { name } = oneRoute.useParams();
  const { workspace } = useMe();
  const query = useQuery(workspaceRolesQuery(workspace.id));
  if (query.error) return <Failure error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data) return <Loading />;
  const role = query.data.find((one) => one.name === name);
  if (!role) {
    return (
      <>
        <PageHeader title={name} above={<Link to="/settings/roles">{t("roles.title")}</Link>} />
        <Empty icon={IconMoodEmpty} title={t("role.none")} text={t("role.noneText")} />
      </>
    );
  }
  return <Editor key={role.name} role={role} />;
}

function Editor({ role }: { role: WorkspaceRole | undefined }) {
  const { t } = useTranslation(["admin", "settings"]);
  const { workspace } = useMe();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const offered = useQuery(permissionsHereQuery(workspace.id));
  const [name, setName] = useState(role?.name ?? "");
  const [description, setDescription] = useState(role?.description ?? "");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set(role?.permissions ?? []));
  const [grants, setGrants] = useState<readonly Grant[]>(() => (role?.grants ?? []).map(asEdited));
  const builtIn = role?.type === "BUILT_IN";
  const missing = builtIn
    ? t("roles.builtIn")
    : !NAME.test(name)
      ? t("role.needsName")
      : chosen.size === 0 && grants.length === 0
        ? t("role.needsPermission")
        : grants.some((grant) => !grant.thing || grant.permissions.length === 0)
          ? t("role.needsGrant")
          : undefined;
  const save = async () => {
    const facts = { description: description.trim(), permissions: [...chosen], grants: grants.map(asBody) };
    const workspaceId = workspace.id;
    await proven(() =>
      role
        ? got(api.PUT("/workspaces/{workspaceId}/roles/{name}", { params: { path: { workspaceId, name } }, body: facts }))
        : got(api.POST("/workspaces/{workspaceId}/roles", { params: { path: { workspaceId } }, body: { name, ...facts } })),
    );
    notifyDone(t("role.saved", { name }));
    await queryClient.invalidateQueries({ queryKey: workspaceRolesQuery(workspaceId).queryKey });
    await navigate({ to: "/settings/roles" });
  };
  const { busy, failure, onSubmit } = useSending(missing, save);
  if (offered.error) return <Failure error={offered.error} />;
  if (!offered.data) return <Loading />;
  const here = offered.data.filter(({ scope }) => scope === "workspace");
  const put = (changed: Grant) => setGrants(grants.map((one) => (one.id === changed.id ? changed : one)));
  return (
    <form onSubmit={onSubmit}>
      <PageHeader
        title={role ? t("role.title", { name: role.name }) : t("roles.new")}
        above={<Link to="/settings/roles">{t("roles.title")}</Link>}
        below={role ? t("roles.holders", { count: role.members }) : t("role.newText")}
      />
      <div className={css.form}>
        {!role && (
          <TextInput
            label={t("role.name")}
            description={t("role.nameHint")}
            placeholder="clerk"
            maxLength={63}
            autoComplete="off"
            spellCheck={false}
            value={name}
            onChange={(event) => setName(event.currentTarget.value.toLowerCase())}
          />
        )}
        <TextInput label={t("role.description")} maxLength={500} value={description} onChange={(event) => setDescription(event.currentTarget.value)} readOnly={builtIn} />
      </div>
      <Section title={t("role.everywhere")}>
        <p className={css.partText}>{t("role.everywhereText")}</p>
        <PermissionBoxes offered={here} chosen={chosen} onChange={setChosen} />
      </Section>
      <Section title={t("role.limited")}>
        <p className={css.partText}>{t("role.limitedText")}</p>
        <div className={css.grants}>
          {grants.map((grant, place) => (
            <GrantEditor
              key={grant.id}
              number={place + 1}
              grant={grant}
              offered={here}
              onChange={put}
              onRemove={() => setGrants(grants.filter(({ id }) => id !== grant.id))}
            />
          ))}
        </div>
        <Button variant="default" leftSection={<IconPlus size={15} />} onClick={() => setGrants([...grants, emptyGrant()])} disabled={grants.length >= 100}>
          {t("role.addGrant")}
        </Button>
      </Section>
      {failure !== undefined && <Failure error={failure} />}
      <div className={css.foot}>
        <Button variant="default" component={Link} to="/settings/roles">
          {t("back")}
        </Button>
        <Allowed by="can_manage_workspace_access" reason={missing}>
          <Button type="submit" loading={busy}>
            {t("role.save")}
          </Button>
        </Allowed>
      </div>
    </form>
  );
}

interface GrantProps {
  number: number;
  grant: Grant;
  offered: readonly Permission[];
  onChange: (grant: Grant) => void;
  onRemove: () => void;
}

function GrantEditor({ number, grant, offered, onChange, onRemove }: GrantProps) {
  const { t } = useTranslation(["admin", "settings"]);
  const tables = useQuery(tablesQuery);
  const definitions = useQuery(definitionsQuery);
  const possible = offered.filter(({ of }) => of.includes(grant.kind));
  const table = tables.data?.find(({ name }) => name === grant.thing);
  const withFields = grant.kind === "table" && possible.some(({ permission, fields }) => fields && grant.permissions.includes(permission));
  const withRows = grant.kind === "table" && possible.some(({ permission, rows }) => rows && grant.permissions.includes(permission));
  const names = grant.kind === "table" ? (tables.data ?? []).map(({ name }) => name) : (definitions.data ?? []);
  const toggle = (permission: string, on: boolean) =>
    onChange({ ...grant, permissions: on ? [...grant.permissions, permission] : grant.permissions.filter((one) => one !== permission) });
  return (
    <fieldset className={css.grant}>
      <legend>{t("role.grant", { number })}</legend>
      {grant.problem && <Notice tone="warn" title={grant.problem} />}
      <div className={css.pair}>
        <Select
          label={t("role.kind")}
          data={KINDS.map((value) => ({ value, label: t(`role.kinds.${value}`) }))}
          value={grant.kind}
          allowDeselect={false}
          onChange={(value) => onChange({ ...grant, kind: (value ?? "table"), thing: "", permissions: [], fields: [], where: "" })}
        />
        {grant.kind === "review" ? (
          <TextInput
            label={t("role.assigned")}
            description={t("role.assignedHint")}
            maxLength={320}
            value={grant.thing}
            onChange={(event) => onChange({ ...grant, thing: event.currentTarget.value })}
          />
        ) : (
          <Select
            label={t(`role.which.${grant.kind}`)}
            data={[{ value: ALL, label: t("role.all") }, ...names.map((value) => ({ value, label: value }))]}
            value={grant.thing || null}
            searchable
            nothingFoundMessage={t("role.noSuch")}
            onChange={(value) => onChange({ ...grant, thing: value ?? "", fields: [] })}
          />
        )}
      </div>
      <div className={css.boxes} role="group" aria-label={t("role.what")}>
        {possible.map(({ permission, allowed, allows }) => (
          <Checkbox
            key={permission}
            size="xs"
            label={<code className="mono">{permission}</code>}
            description={isKnown(permission) ? t(`settings:permission.${permission}`) : allows}
            checked={grant.permissions.includes(permission)}
            disabled={!allowed}
            onChange={(event) => toggle(permission, event.currentTarget.checked)}
          />
        ))}
      </div>
      {withFields && (
        <MultiSelect
          label={t("role.fields")}
          description={t("role.fieldsHint")}
          placeholder={grant.fields.length === 0 ? t("role.allFields") : ""}
          data={[...new Set([...(table?.fields.map(({ name }) => name) ?? []), ...grant.fields])]}
          value={grant.fields}
          searchable
          clearable
          onChange={(fields) => onChange({ ...grant, fields })}
        />
      )}
      {withRows && (
        <Textarea
          label={t("role.where")}
          description={t("role.whereHint")}
          placeholder={'record.country == "PL" && record.owner == user.email'}
          classNames={{ input: "mono" }}
          autosize
          minRows={1}
          maxLength={2000}
          spellCheck={false}
          value={grant.where}
          onChange={(event) => onChange({ ...grant, where: event.currentTarget.value })}
        />
      )}
      <ActionIcon className={css.removeGrant} aria-label={t("role.removeGrant", { number })} onClick={onRemove}>
        <IconTrash size={16} />
      </ActionIcon>
    </fieldset>
  );
}

const tablesQuery = {
  queryKey: ["settings", "tables"],
  queryFn: async () => (await got(api.GET("/tables", { params: { query: { limit: 500 } } }))).data,
};

const definitionsQuery = {
  queryKey: ["settings", "definitions"],
  queryFn: async () => (await got(api.GET("/definitions", { params: { query: { limit: 100 } } }))).data.map(({ name }) => name),
};

function emptyGrant(): Grant {
  return { id: crypto.randomUUID(), kind: "table", thing: "", permissions: [], fields: [], where: "" };
}

function asEdited(grant: Schemas["GrantAnswer"]): Grant {
  const kind = KINDS.find((one) => grant[one] !== null && grant[one] !== undefined) ?? "table";
  return {
    id: crypto.randomUUID(),
    kind,
    thing: grant[kind] ?? "",
    permissions: grant.permissions,
    fields: grant.fields ?? [],
    where: grant.where ?? "",
    problem: grant.problem ?? undefined,
  };
}

function asBody(grant: Grant): Schemas["GrantBody"] {
  return {
    permissions: grant.permissions,
    [grant.kind]: grant.thing,
    ...(grant.fields.length > 0 && { fields: grant.fields }),
    ...(grant.where.trim() && { where: grant.where.trim() }),
  };
}

