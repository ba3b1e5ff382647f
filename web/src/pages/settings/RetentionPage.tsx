import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { api, got, type Schemas } from "@/api/client";
import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { PageHeader } from "@/components/PageHeader";
import { Needs } from "./Needs";
import { RowsTable } from "./RowsTable";

type Kept = Schemas["KeptAnswer"];
const KINDS = [
  "audit",
  "sessions",
  "idleSessions",
  "records",
  "deletedRecords",
  "executions",
  "consents",
  "drafts",
  "links",
  "events",
  "deliveries",
  "dryRuns",
  "deprecatedUses",
  "repeatedAnswers",
  "refreshTokens",
] as const;
const UNITS = { d: "day", h: "hour", m: "minute", s: "second", w: "week" } as const;

/** How long each kind of data is kept, and what decides it. */
export function RetentionPage() {
  const { t } = useTranslation("admin");
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
    </Needs>
  );
}

function Retention() {
  const { t, i18n } = useTranslation("admin");
  const query = useQuery({ queryKey: ["settings", "retention"], queryFn: () => got(api.GET("/retention")) });
  if (query.error) return <Failure error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data) return <Loading />;
  return (
    <RowsTable
      label={t("retention.title")}
      rows={query.data.data}
      keyOf={({ kind }) => kind}
      columns={[
        { id: "kind", header: t("retention.kind"), cell: (kept) => <Kind kept={kept} /> },
        {
          id: "lasts",
          header: t("retention.lasts"),
          cell: ({ lasts }) => (lasts === null ? t("retention.forGood") : <span className="numbers">{lasting(lasts, i18n.language)}</span>),
        },
        {
          id: "setting",
          header: t("retention.decides"),
          cell: ({ setting }) => (setting ? <code className="mono">{setting}</code> : <span className="quiet">{t("retention.fixed")}</span>),
        },
      ]}
    />
  );
}

function Kind({ kept }: { kept: Kept }) {
  const { t } = useTranslation("admin");
  const known = KINDS.find((kind) => kind === kept.kind);
  if (!known) return kept.kind;
  return (
    <>
      <div>{t(`retention.kinds.${known}`)}</div>
      <span className="quiet">{t(`retention.since.${known}`)}</span>
    </>
  );
}

/** `30d` as `30 days`. */
function lasting(text: string, language: string): string {
  const parts = [...text.matchAll(/(\d+)([dhmsw])/g)].map(([, count, unit]) => {
    const options = { style: "unit", unit: UNITS[unit as keyof typeof UNITS], unitDisplay: "long" } as const;
    return new Intl.NumberFormat(language, options).format(Number(count));
  });
  return parts.length > 0 ? parts.join(" ") : text;
}
