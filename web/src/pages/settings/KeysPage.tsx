import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconKey, IconPlus } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { Empty } from "@/components/Empty";
import { PageHeader } from "@/components/PageHeader";
import { Time } from "@/components/Time";
import { useRemoval } from "./change";
import { Needs } from "./Needs";
import { NewKey } from "./NewKey";
import { isKnown } from "./permissions";
import { keysQuery, type Key } from "./queries";
import { Rows } from "./Rows";
import css from "./Settings.module.css";

/** The keys of the workspace: made, shown once, revoked. */
export function KeysPage() {
  const { t } = useTranslation("settings");
  return (
    <Needs permission="can_manage_keys" title={t("keys.title")}>
      <Keys />
    </Needs>
  );
}

function Keys() {
  const { t } = useTranslation("settings");
  const query = useInfiniteQuery(keysQuery);
  const [making, { open, close }] = useDisclosure();
  const remove = useRemoval(...keysQuery.queryKey);
  const revoke = ({ id, name }: Key) =>
    remove(
      { title: t("keys.revoke.title", { name }), text: t("keys.revoke.text"), action: t("keys.revoke.do") },
      () => got(api.DELETE("/keys/{keyId}", { params: { path: { keyId: id } } })),
      t("keys.revoke.done", { name }),
    );
  const make = (
    <Button leftSection={<IconPlus size={15} />} onClick={open}>
      {t("keys.new.title")}
    </Button>
  );
  return (
    <>
      <PageHeader title={t("keys.title")} below={t("keys.text")} actions={make} />
      <Rows
        label={t("keys.title")}
        query={query}
        keyOf={(key) => key.id}
        empty={<Empty icon={IconKey} title={t("keys.none")} text={t("keys.noneText")} />}
        columns={[
          { id: "name", header: t("keys.name"), cell: (key) => <NameOf row={key} /> },
          { id: "permissions", header: t("keys.permissions"), cell: (key) => <PermissionsOf row={key} /> },
          { id: "used", header: t("keys.lastUsed"), cell: ({ lastUsedAt }) => (lastUsedAt ? <Time at={lastUsedAt} relative /> : <Quiet text={t("never")} />) },
          { id: "by", header: t("keys.madeBy"), cell: (key) => <MadeBy row={key} /> },
          { id: "expires", header: t("keys.expires"), cell: ({ expiresAt }) => (expiresAt ? <Time at={expiresAt} /> : <Quiet text={t("never")} />) },
          {
            id: "acts",
            header: t("acts"),
            align: "end",
            cell: (key) => (
              <Button variant="default" onClick={() => void revoke(key)} aria-label={t("keys.revoke.named", { name: key.name })}>
                {t("keys.revoke.do")}
              </Button>
            ),
          },
        ]}
      />
      {making && <NewKey onClose={close} />}
    </>
  );
}

function NameOf({ row }: { row: Key }) {
  return (
    <>
      <div className={css.name}>{row.name}</div>
      <code className="mono quiet">{row.prefix}…</code>
    </>
  );
}

function MadeBy({ row }: { row: Key }) {
  return (
    <>
      <div>{row.madeBy}</div>
      <span className="quiet">
        <Time at={row.createdAt} />
      </span>
    </>
  );
}

function PermissionsOf({ row }: { row: Key }) {
  const { t } = useTranslation("settings");
  return (
    <details>
      <summary className={css.summary}>{t("keys.count", { count: row.permissions.length })}</summary>
      <ul className={css.permissionList}>
        {row.permissions.map((name) => (
          <li key={name} title={isKnown(name) ? t(`permission.${name}`) : undefined}>
            <code className="mono">{name}</code>
          </li>
        ))}
      </ul>
    </details>
  );
}

function Quiet({ text }: { text: string }) {
  return <span className="quiet">{text}</span>;
}
