import { Button, PasswordInput, Select, TextInput } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { meQuery } from "@/app/auth";
import { LANGUAGES, speak, type Language } from "@/app/i18n";
import { Reasoned } from "@/components/Allowed";
import { notifyDone } from "@/components/confirm";
import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { PageHeader } from "@/components/PageHeader";
import { accountQuery, sessionsQuery, type Account } from "./queries";
import { Sessions } from "./Sessions";
import { SecondFactor } from "./SecondFactor";
import { SHOWN_ZONES, ZONES } from "./zones";
import css from "./Settings.module.css";

const SHORTEST_PASSWORD = 12;

/** What one changes about oneself: name, language, zone, password, sessions. */
export function AccountPage() {
  const { t } = useTranslation("settings");
  const { data: account, error, refetch } = useQuery(accountQuery);
  if (error) return <Failure error={error} onRetry={() => void refetch()} />;
  if (!account) return <Loading />;
  return (
    <>
      <PageHeader title={t("account.title")} below={account.email} />
      <Profile account={account} />
      <section className={css.part}>
        <h2>{t("password.title")}</h2>
        {account.hasPassword ? <Password /> : <p className={css.partText}>{t("password.elsewhere")}</p>}
      </section>
      <SecondFactor account={account} />
      <Sessions />
    </>
  );
}

function Profile({ account }: { account: Account }) {
  const { t } = useTranslation("settings");
  const queryClient = useQueryClient();
  const [firstName, setFirstName] = useState(account.firstName ?? "");
  const [lastName, setLastName] = useState(account.lastName ?? "");
  const [language, setLanguage] = useState(account.language ?? "en");
  const [timeZone, setTimeZone] = useState(account.timeZone ?? "UTC");
  const [failure, setFailure] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const save = async () => {
    setBusy(true);
    setFailure(undefined);
    try {
      const body = { firstName: firstName.trim(), lastName: lastName.trim(), language, timeZone };
      queryClient.setQueryData(accountQuery.queryKey, await got(api.PATCH("/me", { body })));
      if (language in LANGUAGES) await speak(language as Language);
      await queryClient.invalidateQueries({ queryKey: meQuery.queryKey, exact: true });
      notifyDone(t("account.saved"));
    } catch (error) {
      setFailure(error);
    }
    setBusy(false);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void save();
  };
  return (
    <form onSubmit={submit} className={css.form}>
      <div className={css.pair}>
        <TextInput label={t("account.firstName")} autoComplete="given-name" maxLength={100} value={firstName} onChange={(event) => setFirstName(event.currentTarget.value)} />
        <TextInput label={t("account.lastName")} autoComplete="family-name" maxLength={100} value={lastName} onChange={(event) => setLastName(event.currentTarget.value)} />
      </div>
      <div className={css.pair}>
        <Select
          label={t("account.language")}
          data={Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }))}
          value={language}
          allowDeselect={false}
          onChange={(value) => setLanguage(value ?? language)}
        />
        <Select
          label={t("account.timeZone")}
          data={ZONES.includes(timeZone) ? ZONES : [timeZone, ...ZONES]}
          value={timeZone}
          searchable
          limit={SHOWN_ZONES}
          allowDeselect={false}
          nothingFoundMessage={t("account.noZone")}
          onChange={(value) => setTimeZone(value ?? timeZone)}
        />
      </div>
      {failure !== undefined && <Failure error={failure} />}
      <Button type="submit" loading={busy}>
        {t("account.save")}
      </Button>
    </form>
  );
}

function Password() {
  const { t } = useTranslation("settings");
  const queryClient = useQueryClient();
  const [current, setCurrent] = useState("");
  const [password, setPassword] = useState("");
  const [failure, setFailure] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const missing = !current ? t("password.needsCurrent") : password.length < SHORTEST_PASSWORD ? t("password.rule") : undefined;
  const change = async () => {
    setBusy(true);
    setFailure(undefined);
    try {
      await got(api.POST("/me/password", { body: { current, password } }));
      setCurrent("");
      setPassword("");
      notifyDone(t("password.done"));
      await queryClient.invalidateQueries({ queryKey: sessionsQuery.queryKey });
    } catch (error) {
      setFailure(error);
    }
    setBusy(false);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!missing) void change();
  };
  return (
    <>
      <p className={css.partText}>{t("password.text")}</p>
      <form onSubmit={submit} className={css.form}>
        <PasswordInput
          size="xs"
          label={t("password.current")}
          autoComplete="current-password"
          maxLength={200}
          value={current}
          onChange={(event) => setCurrent(event.currentTarget.value)}
          visibilityToggleButtonProps={{ "aria-label": t("showPassword") }}
        />
        <PasswordInput
          size="xs"
          label={t("password.new")}
          description={t("password.rule")}
          autoComplete="new-password"
          maxLength={1000}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          visibilityToggleButtonProps={{ "aria-label": t("showPassword") }}
        />
        {failure !== undefined && <Failure error={failure} />}
        <Reasoned reason={missing}>
          <Button type="submit" loading={busy}>
            {t("password.do")}
          </Button>
        </Reasoned>
      </form>
    </>
  );
}
