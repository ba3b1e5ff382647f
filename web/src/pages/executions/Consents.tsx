import { Switch } from "@mantine/core";
import { IconCheck, IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, got, type Schemas } from "@/api/client";
import { Allowed } from "@/components/Allowed";
import { CopyButton } from "@/components/CopyButton";
import { Failure } from "@/components/Failure";
import { Id } from "@/components/Id";
import { Section } from "@/components/Section";
import { Tag } from "@/components/Status";
import { Time } from "@/components/Time";
import type { Execution } from "./types";
import css from "./Execution.module.css";

type Consent = Schemas["ConsentAnswer"];

/** What the end user has agreed to: what stood on the page, when, from where, and who it was as far as it was proved. */
export function Consents({ execution }: { execution: Execution }) {
  const { t } = useTranslation("executions");
  const [personal, setPersonal] = useState(false);
  const { data, error } = useQuery({
    queryKey: ["executions", execution.id, "consents", personal],
    queryFn: () => got(api.GET("/workflows/{workflowId}/consents", { params: { path: { workflowId: execution.id }, query: { personal } } })),
    enabled: execution.executionType === "INTERACTIVE",
    placeholderData: (before) => before,
  });
  if (!error && (data?.data.length ?? 0) === 0) return null;
  return (
    <Section
      title={t("consent.title")}
      actions={
        <Allowed by="can_read_personal_data">
          <Switch size="xs" label={t("consent.personal")} checked={personal} onChange={(event) => setPersonal(event.currentTarget.checked)} />
        </Allowed>
      }
    >
      {error && <Failure error={error} />}
      <ul className={css.consents}>
        {data?.data.map((consent) => (
          <li key={`${consent.step} ${consent.visit}`}>
            <OneConsent consent={consent} />
          </li>
        ))}
      </ul>
    </Section>
  );
}

function OneConsent({ consent }: { consent: Consent }) {
  const { t, i18n } = useTranslation("executions");
  const { accepted, by, language } = consent;
  const spoken = language && new Intl.DisplayNames([i18n.language], { type: "language" }).of(language);
  return (
    <>
      <p className={css.consentHead}>
        <Tag tone={accepted ? "good" : "quiet"} icon={accepted ? IconCheck : IconX} text={t(accepted ? "consent.accepted" : "consent.notAccepted")} />
        <code>{consent.step}</code>
        <Time at={consent.at} />
        <span className="quiet">{t("consent.version", { version: consent.version })}</span>
      </p>
      {consent.text === null ? (
        <p className="quiet">{t("consent.gone")}</p>
      ) : (
        <blockquote className={css.statement} lang={language ?? undefined}>
          {consent.title && <strong>{consent.title}</strong>}
          <span>{consent.text}</span>
          {consent.label && <em>{consent.label}</em>}
        </blockquote>
      )}
      <dl className={css.proof}>
        {spoken && <Fact name={t("consent.language")}>{spoken}</Fact>}
        {by && (
          <Fact name={t("consent.who")}>
            {[by.email, by.proof ? t(`consent.proof.${by.proof}`) : t("consent.unproved")].filter(Boolean).join(" · ")}
          </Fact>
        )}
        {consent.address && <Fact name={t("consent.address")}>{consent.address}</Fact>}
        {consent.userAgent && <Fact name={t("consent.browser")}>{consent.userAgent}</Fact>}
        <Fact name="SHA-256">
          <Id id={consent.hash} what="SHA-256" />{" "}
          <Allowed by="can_view_audit">
            <Link to="/settings/audit" search={{ text: consent.hash }}>
              {t("consent.inAudit")}
            </Link>
          </Allowed>
        </Fact>
        {consent.statement && (
          <Fact name={t("consent.statement")}>
            <CopyButton value={consent.statement} what={t("consent.statement")} />
          </Fact>
        )}
      </dl>
    </>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
