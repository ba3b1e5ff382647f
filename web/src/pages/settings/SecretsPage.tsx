import { Button, PasswordInput, TextInput } from "@mantine/core";
import { IconLock, IconPlus } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { Empty } from "@/components/Empty";
import { FormDialog } from "@/components/FormDialog";
import { PageHeader } from "@/components/PageHeader";
import { Time } from "@/components/Time";
import { useRemoval, useSaving } from "./change";
import { Needs } from "./Needs";
import { secretsQuery, type Secret } from "./queries";
import { Rows } from "./Rows";
import { RowActs } from "./RowsTable";
import { UsedIn } from "./UsedIn";
import css from "./Settings.module.css";

const NAME = /^[A-Z][A-Z0-9_]{0,63}$/;

/** Secrets by name: written, replaced, deleted; nobody reads one again. */
export function SecretsPage() {
  const { t } = useTranslation("settings");
  return (
    <Needs permission="can_manage_secrets" title={t("secrets.title")}>
      <Secrets />
    </Needs>
  );
}

function Secrets() {
  const { t } = useTranslation(["settings", "admin"]);
  const query = useInfiniteQuery(secretsQuery);
  // A name that is there already, or an empty one for a new secret.
  const [writing, setWriting] = useState<string>();
  const remove = useRemoval(...secretsQuery.queryKey);
  const removeOne = ({ name }: Secret) =>
    remove(
      { title: t("secrets.delete.title", { name }), text: t("secrets.delete.text", { name }), action: t("secrets.delete.do") },
      () => got(api.DELETE("/secrets/{name}", { params: { path: { name } } })),
      t("secrets.delete.done", { name }),
    );
  const add = (
    <Button leftSection={<IconPlus size={15} />} onClick={() => setWriting("")}>
      {t("secrets.new")}
    </Button>
  );
  return (
    <>
      <PageHeader title={t("secrets.title")} below={t("secrets.text")} actions={add} />
      <Rows
        label={t("secrets.title")}
        query={query}
        keyOf={(secret) => secret.name}
        empty={<Empty icon={IconLock} title={t("secrets.none")} text={t("secrets.noneText")} />}
        columns={[
          { id: "name", header: t("secrets.name"), cell: ({ name }) => <code className="mono">{name}</code> },
          { id: "version", header: t("secrets.version"), cell: ({ version }) => <span className="numbers">{version}</span> },
          { id: "at", header: t("secrets.written"), cell: ({ updatedDate }) => <Time at={updatedDate} /> },
          { id: "by", header: t("secrets.by"), cell: ({ updatedBy }) => updatedBy },
          { id: "uses", header: t("admin:uses.title"), cell: ({ name }) => <SecretUses name={name} /> },
          {
            id: "acts",
            header: t("acts"),
            align: "end",
            cell: (secret) => (
              <RowActs
                acts={[
                  { text: t("secrets.replace"), name: t("secrets.replaceNamed", { name: secret.name }), act: () => setWriting(secret.name) },
                  { text: t("secrets.delete.do"), name: t("secrets.delete.named", { name: secret.name }), act: () => void removeOne(secret) },
                ]}
              />
            ),
          },
        ]}
      />
      {writing !== undefined && <Write there={writing} onClose={() => setWriting(undefined)} />}
    </>
  );
}

function SecretUses({ name }: { name: string }) {
  return <UsedIn name={name} queryKey={["secret", name]} read={() => got(api.GET("/secrets/{name}/uses", { params: { path: { name } } }))} />;
}

function Write({ there, onClose }: { there: string; onClose: () => void }) {
  const { t } = useTranslation("settings");
  const [name, setName] = useState(there);
  const [value, setValue] = useState("");
  const missing = !NAME.test(name) ? t("secrets.needsName") : !value ? t("secrets.needsValue") : undefined;
  const save = useSaving(onClose, ...secretsQuery.queryKey);
  const write = () => save(() => got(api.PUT("/secrets/{name}", { params: { path: { name } }, body: { value } })), () => t("secrets.done", { name }));
  return (
    <FormDialog title={there ? t("secrets.replaceNamed", { name: there }) : t("secrets.new")} missing={missing} action={t("secrets.write")} send={write} onClose={onClose} className={css.form}>
      {!there && (
        <TextInput
          label={t("secrets.name")}
          description={t("secrets.nameHint")}
          maxLength={64}
          autoComplete="off"
          spellCheck={false}
          value={name}
          onChange={(event) => setName(event.currentTarget.value.toUpperCase())}
          data-autofocus
        />
      )}
      <PasswordInput
        size="xs"
        label={t("secrets.value")}
        description={t("secrets.valueHint")}
        maxLength={8192}
        autoComplete="off"
        value={value}
        onChange={(event) => setValue(event.currentTarget.value)}
        visibilityToggleButtonProps={{ "aria-label": t("secrets.show") }}
        data-autofocus={there ? true : undefined}
      />
    </FormDialog>
  );
}
