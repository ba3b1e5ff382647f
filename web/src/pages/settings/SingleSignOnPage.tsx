import { ActionIcon, Button, PasswordInput, Select, TagsInput, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconFingerprint, IconPlus, IconTrash } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, got, type Schemas } from "@/api/client";
import { Reasoned } from "@/components/Allowed";
import { Empty } from "@/components/Empty";
import { Failure } from "@/components/Failure";
import { FormDialog } from "@/components/FormDialog";
import { Loading } from "@/components/Loading";
import { Notice } from "@/components/Notice";
import { PageHeader } from "@/components/PageHeader";
import { useRemoval, useSaving } from "./change";
import { Copied } from "./Copied";
import { Facts } from "./Facts";
import { Needs } from "./Needs";
import { Provisioning } from "./Provisioning";
import { providersQuery, type Provider } from "./queries";
import { useRoleText } from "./roles";
import { RowActs, RowsTable } from "./RowsTable";
import css from "./Settings.module.css";

const GIVEN_ROLES = ["admin", "member"] as const;
const NOBODY = "none";

/** Where the organization's people sign in besides here, and who keeps its users. */
export function SingleSignOnPage() {
  const { t } = useTranslation("admin");
  return (
    <Needs permission="can_manage_users" title={t("sso.title")}>
      <Providers />
      <Provisioning />
    </Needs>
  );
}

function Providers() {
  const { t } = useTranslation(["admin", "settings"]);
  const query = useQuery(providersQuery);
  const [editing, setEditing] = useState<Provider>();
  const [adding, { open, close }] = useDisclosure();
  const remove = useRemoval(...providersQuery.queryKey);
  if (query.error) return <Failure error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data) return <Loading />;
  const removeOne = ({ id, name }: Provider) =>
    remove(
      { title: t("sso.deleteNamed", { name }), text: t("sso.deleteText"), action: t("sso.delete") },
      () => got(api.DELETE("/organizations/identity-providers/{providerId}", { params: { path: { providerId: id } } })),
      t("sso.deleted", { name }),
    );
  return (
    <>
      <PageHeader
        title={t("sso.title")}
        below={t("sso.text")}
        actions={
          <Button leftSection={<IconPlus size={15} />} onClick={open}>
            {t("sso.add")}
          </Button>
        }
      />
      <Facts facts={[{ name: t("sso.callback"), value: <Copied value={query.data.callback} what={t("sso.callback")} /> }]} />
      {query.data.data.length === 0 ? (
        <Empty icon={IconFingerprint} title={t("sso.none")} text={t("sso.noneText")} />
      ) : (
        <RowsTable
          label={t("sso.title")}
          rows={query.data.data}
          keyOf={(provider) => provider.id}
          columns={[
            {
              id: "name",
              header: t("sso.name"),
              cell: ({ name, issuer }) => (
                <>
                  <div className={css.name}>{name}</div>
                  <span className="quiet">{issuer}</span>
                </>
              ),
            },
            { id: "client", header: t("sso.clientId"), cell: ({ clientId }) => <code className="mono">{clientId}</code> },
            { id: "roles", header: t("sso.groupRoles"), cell: (provider) => <RolesOf provider={provider} /> },
            {
              id: "acts",
              header: t("settings:acts"),
              align: "end",
              cell: (provider) => (
                <RowActs
                  acts={[
                    { text: t("change"), name: t("sso.changeNamed", { name: provider.name }), act: () => setEditing(provider) },
                    { text: t("sso.delete"), name: t("sso.deleteNamed", { name: provider.name }), act: () => void removeOne(provider) },
                  ]}
                />
              ),
            },
          ]}
        />
      )}
      {adding && <ProviderForm onClose={close} />}
      {editing && <ProviderForm provider={editing} onClose={() => setEditing(undefined)} />}
    </>
  );
}

function RolesOf({ provider }: { provider: Provider }) {
  const { t } = useTranslation("admin");
  const text = useRoleText();
  const others = provider.defaultRole ? text(provider.defaultRole).name : t("sso.stayOut");
  return (
    <>
      {Object.entries(provider.groupRoles).map(([group, role]) => (
        <div key={group}>
          {group} → {text(role).name}
        </div>
      ))}
      <div className="quiet">
        {t("sso.others")} → {others}
      </div>
    </>
  );
}

interface Mapping {
  id: string;
  group: string;
  role: string;
}

function ProviderForm({ provider, onClose }: { provider?: Provider; onClose: () => void }) {
  const { t } = useTranslation(["admin", "settings", "common"]);
  const send = useSaving(onClose, ...providersQuery.queryKey);
  const text = useRoleText();
  const [name, setName] = useState(provider?.name ?? "");
  const [issuer, setIssuer] = useState(provider?.issuer ?? "");
  const [clientId, setClientId] = useState(provider?.clientId ?? "");
  const [clientSecret, setClientSecret] = useState("");
  const [scopes, setScopes] = useState(provider?.scopes ?? ["profile", "email"]);
  const [groupClaim, setGroupClaim] = useState(provider?.groupClaim ?? "");
  const [defaultRole, setDefaultRole] = useState(provider ? (provider.defaultRole ?? NOBODY) : "member");
  const [mappings, setMappings] = useState<readonly Mapping[]>(() =>
    Object.entries(provider?.groupRoles ?? {}).map(([group, role]) => ({ id: crypto.randomUUID(), group, role })),
  );
  const trying = useMutation({ mutationFn: () => got(api.POST("/organizations/identity-providers/discovery", { body: { issuer: issuer.trim() } })) });
  const roles = GIVEN_ROLES.map((value) => ({ value, label: text(value).name }));
  const missing = !name.trim()
    ? t("sso.needsName")
    : !issuer.trim()
      ? t("sso.needsIssuer")
      : !clientId.trim()
        ? t("sso.needsClient")
        : !provider && !clientSecret
          ? t("sso.needsSecret")
          : mappings.some(({ group }) => !group.trim())
            ? t("sso.needsGroup")
            : mappings.length > 0 && !groupClaim.trim()
              ? t("sso.needsClaim")
              : undefined;
  const save = () => {
    const body = {
      name: name.trim(),
      issuer: issuer.trim(),
      clientId: clientId.trim(),
      scopes,
      groupClaim: groupClaim.trim() || null,
      groupRoles: Object.fromEntries(mappings.map(({ group, role }) => [group.trim(), role])),
      defaultRole: defaultRole === NOBODY ? null : defaultRole,
    };
    return send(
      () =>
        provider
          ? got(
              api.PUT("/organizations/identity-providers/{providerId}", {
                params: { path: { providerId: provider.id } },
                body: { ...body, clientSecret: clientSecret || null },
              }),
            )
          : got(api.POST("/organizations/identity-providers", { body: { ...body, clientSecret } })),
      () => t("sso.saved", { name: name.trim() }),
    );
  };
  const put = (changed: Mapping) => setMappings(mappings.map((one) => (one.id === changed.id ? changed : one)));
  return (
    <FormDialog
      title={provider ? t("sso.changeNamed", { name: provider.name }) : t("sso.add")}
      size="lg"
      missing={missing}
      action={t("sso.save")}
      send={save}
      onClose={onClose}
      className={css.wideForm}
    >
      <TextInput label={t("sso.name")} description={t("sso.nameHint")} maxLength={60} value={name} onChange={(event) => setName(event.currentTarget.value)} data-autofocus />
      <div className={css.withButton}>
        <TextInput
          label={t("sso.issuer")}
          description={t("sso.issuerHint")}
          placeholder="https://id.example.com/realms/acme"
          maxLength={500}
          spellCheck={false}
          value={issuer}
          onChange={(event) => {
            setIssuer(event.currentTarget.value);
            trying.reset();
          }}
        />
        <Reasoned reason={issuer.trim() ? undefined : t("sso.needsIssuer")}>
          <Button variant="default" loading={trying.isPending} onClick={() => trying.mutate()}>
            {t("sso.try")}
          </Button>
        </Reasoned>
      </div>
      <div role="status">
        {trying.isError && <Failure error={trying.error} />}
        {trying.data && <Discovered found={trying.data} />}
      </div>
      <div className={css.pair}>
        <TextInput label={t("sso.clientId")} maxLength={500} autoComplete="off" spellCheck={false} value={clientId} onChange={(event) => setClientId(event.currentTarget.value)} />
        <PasswordInput
          size="xs"
          label={t("sso.clientSecret")}
          placeholder={provider ? t("sso.secretStays") : ""}
          maxLength={2000}
          autoComplete="off"
          value={clientSecret}
          onChange={(event) => setClientSecret(event.currentTarget.value)}
          visibilityToggleButtonProps={{ "aria-label": t("settings:secrets.show") }}
        />
      </div>
      <div className={css.pair}>
        <TagsInput size="xs" label={t("sso.scopes")} description={t("sso.scopesHint")} maxTags={20} value={scopes} onChange={setScopes} splitChars={[",", " "]} />
        <TextInput label={t("sso.groupClaim")} description={t("sso.groupClaimHint")} placeholder="groups" maxLength={200} value={groupClaim} onChange={(event) => setGroupClaim(event.currentTarget.value)} />
      </div>
      <fieldset className={css.plain}>
        <legend>{t("sso.groupRoles")}</legend>
        {mappings.map((mapping, place) => (
          <div key={mapping.id} className={css.mapping}>
            <TextInput
              aria-label={t("sso.group", { number: place + 1 })}
              placeholder={t("sso.groupPlaceholder")}
              maxLength={200}
              value={mapping.group}
              onChange={(event) => put({ ...mapping, group: event.currentTarget.value })}
            />
            <Select
              aria-label={t("sso.roleOfGroup", { number: place + 1 })}
              data={roles}
              value={mapping.role}
              allowDeselect={false}
              onChange={(role) => put({ ...mapping, role: role ?? mapping.role })}
            />
            <ActionIcon aria-label={t("sso.removeGroup", { number: place + 1 })} onClick={() => setMappings(mappings.filter(({ id }) => id !== mapping.id))}>
              <IconTrash size={16} />
            </ActionIcon>
          </div>
        ))}
        <Button variant="subtle" leftSection={<IconPlus size={14} />} onClick={() => setMappings([...mappings, { id: crypto.randomUUID(), group: "", role: "member" }])}>
          {t("sso.addGroup")}
        </Button>
      </fieldset>
      <Select
        label={t("sso.defaultRole")}
        description={t("sso.defaultRoleHint")}
        data={[...roles, { value: NOBODY, label: t("sso.stayOut") }]}
        value={defaultRole}
        allowDeselect={false}
        onChange={(role) => setDefaultRole(role ?? defaultRole)}
      />
    </FormDialog>
  );
}

function Discovered({ found }: { found: Schemas["DiscoveryAnswer"] }) {
  const { t } = useTranslation("admin");
  return (
    <Notice tone="busy" title={t("sso.found")}>
      <Facts
        facts={[
          { name: t("sso.authorization"), value: <span className="mono">{found.authorizationEndpoint}</span> },
          { name: t("sso.scopes"), value: found.scopes.join(", ") || "–" },
          { name: t("sso.claims"), value: found.claims.join(", ") || "–" },
          { name: "PKCE", value: t(found.saysPkce ? "sso.pkce" : "sso.noPkce") },
        ]}
      />
    </Notice>
  );
}
