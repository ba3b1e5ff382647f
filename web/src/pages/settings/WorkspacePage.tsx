import { Button, Select, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";

import { api, got, type Schemas } from "@/api/client";
import { meQuery, useMe } from "@/app/auth";
import { Allowed } from "@/components/Allowed";
import { notifyDone } from "@/components/confirm";
import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { PageHeader } from "@/components/PageHeader";
import { Section } from "@/components/Section";
import { Time } from "@/components/Time";
import { asBody, themeQuery, type Theme } from "@/pages/links/theme";
import { Copied } from "./Copied";
import { Facts } from "./Facts";
import { proven } from "./proof";
import { SHOWN_ZONES, ZONES } from "./zones";
import css from "./Settings.module.css";

const MODES = ["on", "warn", "brownout", "off"] as const;
const INSTALLATION = "installation";

/** What the workspace is called, in which zone it tells moments, and how it treats version 1. */
export function WorkspacePage() {
  const { t } = useTranslation("admin");
  const { workspace } = useMe();
  const theme = useQuery(themeQuery);
  const mode = useQuery({ queryKey: ["deprecations", "mode"], queryFn: () => got(api.GET("/deprecations/mode")) });
  return (
    <>
      <PageHeader title={t("workspace.title")} below={t("workspace.text")} />
      <Facts facts={[{ name: t("workspace.id"), value: <Copied value={workspace.id} what={t("workspace.id")} /> }]} />
      <Name />
      {theme.error && <Failure error={theme.error} onRetry={() => void theme.refetch()} />}
      {theme.data ? <Zone key={theme.data.timeZone} theme={theme.data} /> : !theme.error && <Loading />}
      <Section title={t("workspace.sites")}>
        <p className={css.partText}>{t("workspace.sitesText")}</p>
        {theme.data && (
          <ul className={css.plainList}>
            {theme.data.allowedOrigins.length === 0 && <li className="quiet">{t("workspace.noSites")}</li>}
            {theme.data.allowedOrigins.map((origin) => (
              <li key={origin} className="mono">
                {origin}
              </li>
            ))}
          </ul>
        )}
        <Link to="/links" search={{ tab: "website" }}>
          {t("workspace.changeSites")}
        </Link>
      </Section>
      {mode.error && <Failure error={mode.error} onRetry={() => void mode.refetch()} />}
      {mode.data && <VersionOne key={JSON.stringify(mode.data)} mode={mode.data} />}
    </>
  );
}

function Name() {
  const { t } = useTranslation("admin");
  const { workspace } = useMe();
  const queryClient = useQueryClient();
  const [name, setName] = useState(workspace.name);
  const save = useMutation({
    mutationFn: () =>
      proven(() => got(api.PUT("/workspaces/{workspaceId}/name", { params: { path: { workspaceId: workspace.id } }, body: { name: name.trim() } }))),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: meQuery.queryKey, exact: true });
      notifyDone(t("workspace.saved"));
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  const missing = !name.trim() ? t("workspace.needsName") : name.trim() === workspace.name ? t("same") : undefined;
  return (
    <Section title={t("workspace.name")}>
      <form onSubmit={submit} className={css.form}>
        <TextInput label={t("workspace.nameLabel")} description={t("workspace.nameHint")} maxLength={100} value={name} onChange={(event) => setName(event.currentTarget.value)} />
        {save.isError && <Failure error={save.error} />}
        <Allowed by="can_manage_workspace_access" reason={missing}>
          <Button type="submit" loading={save.isPending}>
            {t("workspace.saveName")}
          </Button>
        </Allowed>
      </form>
    </Section>
  );
}

function Zone({ theme }: { theme: Theme }) {
  const { t } = useTranslation(["admin", "settings"]);
  const queryClient = useQueryClient();
  const [zone, setZone] = useState(theme.timeZone ?? "UTC");
  const save = useMutation({
    mutationFn: () => got(api.PUT("/theme", { body: { ...asBody(theme), timeZone: zone } })),
    onSuccess: (saved) => {
      queryClient.setQueryData(themeQuery.queryKey, saved);
      notifyDone(t("workspace.saved"));
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Section title={t("workspace.zone")}>
      <form onSubmit={submit} className={css.form}>
        <Select
          label={t("workspace.zoneLabel")}
          description={t("workspace.zoneHint")}
          data={ZONES.includes(zone) ? ZONES : [zone, ...ZONES]}
          value={zone}
          searchable
          limit={SHOWN_ZONES}
          allowDeselect={false}
          nothingFoundMessage={t("settings:account.noZone")}
          onChange={(value) => setZone(value ?? zone)}
        />
        {save.isError && <Failure error={save.error} />}
        <Allowed by="can_manage_themes" reason={zone === (theme.timeZone ?? "UTC") ? t("same") : undefined}>
          <Button type="submit" loading={save.isPending}>
            {t("workspace.saveZone")}
          </Button>
        </Allowed>
      </form>
    </Section>
  );
}

function VersionOne({ mode }: { mode: Schemas["ModeAnswer"] }) {
  const { t } = useTranslation("admin");
  const queryClient = useQueryClient();
  const [chosen, setChosen] = useState<string>(mode.own ? mode.mode : INSTALLATION);
  const [brownouts, setBrownouts] = useState(mode.brownouts);
  // A workspace can be stricter than the installation, not looser.
  const possible = MODES.slice(MODES.indexOf(mode.installation));
  const save = useMutation({
    mutationFn: () =>
      got(
        api.PUT("/deprecations/mode", {
          body: { mode: MODES.find((one) => one === chosen) ?? null, brownouts: chosen === "brownout" && brownouts.trim() ? brownouts.trim() : null },
        }),
      ),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ["deprecations"] });
      notifyDone(t("workspace.saved"));
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Section title={t("v1.title")}>
      <p className={css.partText}>
        {t("v1.text")} <Link to="/webhooks" search={{ tab: "version1" }}>{t("v1.report")}</Link>
      </p>
      <form onSubmit={submit} className={css.form}>
        <Select
          label={t("v1.mode")}
          description={t(`v1.means.${mode.mode}`)}
          data={[{ value: INSTALLATION, label: t("v1.installation", { mode: t(`v1.modes.${mode.installation}`) }) }, ...possible.map((value) => ({ value, label: t(`v1.modes.${value}`) }))]}
          value={chosen}
          allowDeselect={false}
          onChange={(value) => setChosen(value ?? chosen)}
        />
        {chosen === "brownout" && (
          <TextInput
            label={t("v1.brownouts")}
            description={t("v1.brownoutsHint")}
            placeholder="tue 09:00-10:00"
            maxLength={2000}
            value={brownouts}
            onChange={(event) => setBrownouts(event.currentTarget.value)}
          />
        )}
        {mode.nextBrownout && (
          <p className={css.partText}>
            {t("v1.next")} <Time at={mode.nextBrownout.begins} /> – <Time at={mode.nextBrownout.ends} />
          </p>
        )}
        {save.isError && <Failure error={save.error} />}
        <Allowed by="can_manage_keys">
          <Button type="submit" loading={save.isPending}>
            {t("v1.save")}
          </Button>
        </Allowed>
      </form>
    </Section>
  );
}
