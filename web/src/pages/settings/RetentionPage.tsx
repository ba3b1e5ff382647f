import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, got, type Schemas } from "@/api/client";
import { useMay } from "@/app/auth";
import { Allowed } from "@/components/Allowed";
import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { PageHeader } from "@/components/PageHeader";
import { Holds } from "./Holds";
import { KeepFor } from "./KeepFor";
import { Needs } from "./Needs";
import { keptFor, MANAGES_RETENTION, RETENTION_KEY } from "./retention";
import { RowsTable } from "./RowsTable";
import css from "./Settings.module.css";

type Kept = Schemas["KeptAnswer"];
const KINDS = [
  "executions",
  "events",
  "deliveries",
  "drafts",
  "audit",
  "sessions",
  "idleSessions",
  "records",
  "deletedRecords",
  "consents",
  "links",
  "dryRuns",
  "operations",
  "deprecatedUses",
  "repeatedAnswers",
  "refreshTokens",
] as const;

/** How long each kind of data is kept, what decides it, and what is kept in any case. */
export function RetentionPage() {
  const { t } = useTranslation("admin");
  const manages = useMay(MANAGES_RETENTION);
  return (
    <Needs permission="can_view_workspace" title={t("retention.title")}>
      <PageHeader
        title={t("retention.title")}
        below={
          <>
            {t("retention.text")} <Link to="/settings/erasure">{t("retention.erase")}</Link>
          </>
        }
      />
      <Retention />
      {manages && <Holds />}
    </Needs>
  );
}

function Retention() {
  const { t, i18n } = useTranslation("admin");
  const [changing, setChanging] = useState<Kept>();
  const query = useQuery({ queryKey: RETENTION_KEY, queryFn: () => got(api.GET("/retention")) });
  if (query.error) return <Failure error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data) return <Loading />;
  return (
    <>
      <RowsTable
        label={t("retention.title")}
        rows={query.data.data}
        keyOf={({ kind }) => kind}
        columns={[
          { id: "kind", header: t("retention.kind"), cell: (kept) => <Kind kept={kept} /> },
          { id: "lasts", header: t("retention.lasts"), cell: ({ lasts }) => <span className="numbers">{keptFor(lasts, t, i18n.language)}</span> },
          { id: "decides", header: t("retention.decides"), cell: (kept) => <Decided kept={kept} /> },
          {
            id: "acts",
            header: t("retention.acts"),
            align: "end",
            cell: (kept) =>
              kept.least !== null && (
                <span className={css.acts}>
                  <Allowed by={MANAGES_RETENTION}>
                    <Button variant="default" onClick={() => setChanging(kept)} aria-label={t("retention.changeNamed", { what: nameOf(kept.kind, t) })}>
                      {t("retention.change")}
                    </Button>
                  </Allowed>
                </span>
              ),
          },
        ]}
      />
      {changing && <KeepFor kept={changing} all={query.data.data} name={nameOf(changing.kind, t)} onClose={() => setChanging(undefined)} />}
    </>
  );
}

function Decided({ kept }: { kept: Kept }) {
  const { t } = useTranslation("admin");
  if (kept.own) return t(kept.archive ? "retention.ownArchived" : "retention.own");
  if (kept.setting) return <code className="mono">{kept.setting}</code>;
  return <span className="quiet">{t(kept.least === null ? "retention.fixed" : "retention.installation")}</span>;
}

function Kind({ kept }: { kept: Kept }) {
  const { t } = useTranslation("admin");
  const known = KINDS.find((kind) => kind === kept.kind);
  return (
    <>
      <div>{nameOf(kept.kind, t)}</div>
      {known && <span className="quiet">{t(`retention.since.${known}`)}</span>}
    </>
  );
}

function nameOf(kind: string, t: ReturnType<typeof useTranslation<"admin">>["t"]): string {
  const known = KINDS.find((one) => one === kind);
  return known ? t(`retention.kinds.${known}`) : kind;
}
