import { Button, TextInput } from "@mantine/core";
import { IconMailCheck } from "@tabler/icons-react";
import type { TFunction } from "i18next";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";

import { api, got, type Schemas } from "@/api/client";
import { useMe } from "@/app/auth";
import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { Notice } from "@/components/Notice";
import { PageHeader } from "@/components/PageHeader";
import { Section } from "@/components/Section";
import { duration } from "@/components/times";
import { Facts, type Fact } from "./Facts";
import { Needs } from "./Needs";
import { operationsQuery } from "./queries";
import css from "./Settings.module.css";

/** How e-mails are sent, and a real one to try it. */
export function MailPage() {
  const { t } = useTranslation("admin");
  return (
    <Needs permission="can_view_operations" title={t("mail.title")}>
      <PageHeader title={t("mail.title")} below={t("mail.text")} />
      <Settings />
      <Try />
    </Needs>
  );
}

function Settings() {
  const { t } = useTranslation("admin");
  const query = useQuery(operationsQuery);
  if (query.error) return <Failure error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data) return <Loading />;
  const { mail, installation } = query.data;
  if (!mail.sends && !installation?.mail.server) return <Notice tone="warn" title={t("mail.none")}>{t("mail.noneText")}</Notice>;
  return <Facts facts={[{ name: t("mail.sender"), value: mail.sender }, ...(installation ? serverFacts(installation.mail, t) : [])]} />;
}

/** The mail server, for whoever runs the installation. */
function serverFacts(mail: Schemas["MailServerAnswer"], t: TFunction<"admin">): Fact[] {
  return [
    { name: t("mail.server"), value: <code className="mono">{mail.server}</code> },
    { name: t("mail.tls"), value: t(`mail.tlsIs.${mail.tls}`) },
    { name: t("mail.signsIn"), value: t(mail.signsIn ? "yes" : "no") },
    { name: t("mail.domains"), value: mail.domains.join(", ") },
    ...(mail.refusal === null ? [] : [{ name: t("mail.refusal"), value: mail.refusal }]),
  ];
}

function Try() {
  const { t } = useTranslation("admin");
  const { email } = useMe();
  const [to, setTo] = useState(email);
  const trying = useMutation({ mutationFn: () => got(api.POST("/operations/mail-test", { body: { to: to.trim() || null } })) });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    trying.mutate();
  };
  return (
    <Section title={t("mail.test")}>
      <p className={css.partText}>{t("mail.testText")}</p>
      <form onSubmit={submit} className={css.form}>
        <TextInput type="email" label={t("mail.to")} maxLength={320} value={to} onChange={(event) => setTo(event.currentTarget.value)} />
        <Button type="submit" leftSection={<IconMailCheck size={15} />} loading={trying.isPending}>
          {t("mail.send")}
        </Button>
      </form>
      <div role="status" className={css.result}>
        {trying.isError && <Failure error={trying.error} />}
        {trying.data && <Result result={trying.data} />}
      </div>
    </Section>
  );
}

function Result({ result }: { result: Schemas["MailTestAnswer"] }) {
  const { t } = useTranslation("admin");
  return (
    <Notice tone={result.taken ? "busy" : "bad"} title={t(result.taken ? "mail.taken" : "mail.refused", { to: result.to })}>
      {result.message && <p className={css.noMargin}>{result.message}</p>}
      <Facts
        facts={[
          ...(result.server ? [{ name: t("mail.reply"), value: result.reply ? <code className="mono">{result.reply}</code> : t("mail.noReply") }] : []),
          { name: t("mail.took"), value: duration(result.milliseconds) },
          ...(result.messageId ? [{ name: "Message-ID", value: <code className="mono">{result.messageId}</code> }] : []),
        ]}
      />
      {result.taken && <p className={css.noMargin}>{t("mail.look")}</p>}
    </Notice>
  );
}
