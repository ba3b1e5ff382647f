import { Progress } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, got, type Schemas } from "@/api/client";
import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { PageHeader } from "@/components/PageHeader";
import { Tag } from "@/components/Status";
import { size } from "./sizes";
import { Needs } from "./Needs";
import { RowsTable } from "./RowsTable";

const QUOTAS = ["executions", "records", "storage", "requests"] as const;
type Quota = (typeof QUOTAS)[number];
const NEARLY = 90;

/** What the workspace may have and do, and what of it is used. */
export function LimitsPage() {
  const { t } = useTranslation("admin");
  return (
    <Needs permission="can_view_workspace" title={t("limits.title")}>
      <PageHeader title={t("limits.title")} below={t("limits.text")} />
      <Limits />
    </Needs>
  );
}

function Limits() {
  const { t } = useTranslation("admin");
  const query = useQuery({ queryKey: ["settings", "quotas"], queryFn: () => got(api.GET("/quotas")) });
  const { data } = query;
  if (query.error) return <Failure error={query.error} onRetry={() => void query.refetch()} />;
  if (!data) return <Loading />;
  return (
    <RowsTable
      label={t("limits.title")}
      rows={QUOTAS}
      keyOf={(quota) => quota}
      columns={[
        { id: "what", header: t("limits.what"), cell: (quota) => t(`limits.of.${quota}`) },
        { id: "used", header: t("limits.used"), cell: (quota) => <Amount quota={quota} value={data[quota].used} /> },
        {
          id: "most",
          header: t("limits.most"),
          cell: (quota) => (data[quota].most === null ? <span className="quiet">{t("limits.unlimited")}</span> : <Amount quota={quota} value={data[quota].most} />),
        },
        { id: "part", header: t("limits.part"), cell: (quota) => <Part quota={quota} answer={data[quota]} /> },
      ]}
    />
  );
}

function Amount({ quota, value }: { quota: Quota; value: number }) {
  const { i18n } = useTranslation();
  return <span className="numbers">{quota === "storage" ? size(value, i18n.language) : new Intl.NumberFormat(i18n.language).format(value)}</span>;
}

function Part({ quota, answer }: { quota: Quota; answer: Schemas["QuotaAnswer"] }) {
  const { t } = useTranslation("admin");
  if (answer.most === null) return <span className="quiet">–</span>;
  const part = answer.most === 0 ? 100 : Math.min(100, Math.round((answer.used / answer.most) * 100));
  return (
    <>
      <Progress value={part} color={part >= NEARLY ? "red.8" : "indigo"} aria-label={t("limits.partOf", { what: t(`limits.of.${quota}`), part })} w="8rem" maw="100%" />
      {part >= NEARLY && <Tag tone="bad" text={t("limits.nearly")} />}
    </>
  );
}
