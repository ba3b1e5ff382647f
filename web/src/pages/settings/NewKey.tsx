import { Alert, Button, Group, Select, TagsInput, TextInput } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, got, type Schemas } from "@/api/client";
import { useMe } from "@/app/auth";
import { CopyButton } from "@/components/CopyButton";
import { Failure } from "@/components/Failure";
import { Dialog, DialogForm } from "@/components/FormDialog";
import { Loading } from "@/components/Loading";
import { PermissionBoxes } from "./PermissionBoxes";
import { proven } from "./proof";
import { keysQuery, permissionsHereQuery } from "./queries";
import css from "./Settings.module.css";

const DAY = 86_400_000;
const LIVES = ["30", "90", "365", "never"] as const;
type Lives = (typeof LIVES)[number];

/** A dialogue that makes a key, and shows it once. */
export function NewKey({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("settings");
  const [made, setMade] = useState<Schemas["NewKeyAnswer"]>();
  return (
    <Dialog onClose={onClose} size="xl" title={made ? t("keys.made.title") : t("keys.new.title")}>
      {made ? <Made made={made} onClose={onClose} /> : <Form onMade={setMade} onClose={onClose} />}
    </Dialog>
  );
}

function Form({ onMade, onClose }: { onMade: (made: Schemas["NewKeyAnswer"]) => void; onClose: () => void }) {
  const { t } = useTranslation("settings");
  const { workspace } = useMe();
  const queryClient = useQueryClient();
  const offered = useQuery(permissionsHereQuery(workspace.id));
  const [name, setName] = useState("");
  const [lives, setLives] = useState<Lives>("90");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [networks, setNetworks] = useState<string[]>([]);
  const [version, setVersion] = useState("2");
  const missing = !name.trim() ? t("keys.new.needsName") : chosen.size === 0 ? t("keys.new.needsPermission") : undefined;
  const make = async () => {
    const expiresAt = lives === "never" ? null : new Date(Date.now() + Number(lives) * DAY).toISOString();
    onMade(await proven(() => got(api.POST("/keys", { body: { name: name.trim(), permissions: [...chosen], expiresAt, networks, apiVersion: Number(version) } as never }))));
    await queryClient.invalidateQueries({ queryKey: keysQuery.queryKey });
  };
  if (offered.error) return <Failure error={offered.error} />;
  if (!offered.data) return <Loading />;
  return (
    <DialogForm missing={missing} action={t("keys.new.do")} send={make} onClose={onClose}>
      <div className={css.pair}>
        <TextInput
          label={t("keys.name")}
          description={t("keys.new.nameHint")}
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          autoFocus
        />
        <Select
          label={t("keys.expires")}
          description={t("keys.new.expiresHint")}
          data={LIVES.map((value) => ({ value, label: t(`keys.lives.${value}`) }))}
          value={lives}
          allowDeselect={false}
          onChange={(value) => setLives(value ?? "90")}
        />
      </div>
      <div className={css.pair}>
        <TagsInput
          size="xs"
          label={t("keys.networks")}
          description={t("keys.networksHint")}
          placeholder={networks.length === 0 ? "192.0.2.0/24" : ""}
          value={networks}
          onChange={setNetworks}
          splitChars={[",", " "]}
        />
        <Select
          label={t("keys.version")}
          description={t("keys.versionHint")}
          data={[
            { value: "2", label: t("keys.version2") },
            { value: "1", label: t("keys.version1") },
          ]}
          value={version}
          allowDeselect={false}
          onChange={(value) => setVersion(value ?? "2")}
        />
      </div>
      <h3>{t("keys.permissions")}</h3>
      <PermissionBoxes offered={offered.data} chosen={chosen} onChange={setChosen} />
    </DialogForm>
  );
}

function Made({ made, onClose }: { made: Schemas["NewKeyAnswer"]; onClose: () => void }) {
  const { t } = useTranslation("settings");
  return (
    <>
      <Alert color="yellow" icon={<IconAlertTriangle size={18} />}>
        {t("keys.made.text")}
      </Alert>
      <dl className={css.shown}>
        {made.key !== null && <Shown what={t("keys.made.key")} value={made.key} />}
        <Shown what={t("keys.made.secret")} value={made.secret} />
      </dl>
      <Group mt="md" justify="flex-end">
        <Button onClick={onClose}>{t("keys.made.close")}</Button>
      </Group>
    </>
  );
}

function Shown({ what, value }: { what: string; value: string }) {
  return (
    <div>
      <dt>{what}</dt>
      <dd>
        <code data-shown>{value}</code>
        <CopyButton value={value} what={what} />
      </dd>
    </div>
  );
}
