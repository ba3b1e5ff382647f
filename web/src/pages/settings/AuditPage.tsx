import { Button, CloseButton, SegmentedControl } from "@mantine/core";
import { IconAlertTriangle, IconBan, IconCheck, IconDownload, IconListSearch, IconShieldCheck } from "@tabler/icons-react";
import { useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { api, got, type Schemas } from "@/api/client";
import { useMay, useMe } from "@/app/auth";
import { under } from "@/app/prefix";
import { Allowed } from "@/components/Allowed";
import { CurlButton } from "@/components/CurlButton";
import { Empty } from "@/components/Empty";
import { Failure } from "@/components/Failure";
import { Id } from "@/components/Id";
import { Json } from "@/components/Json";
import { List, type Column, type Page } from "@/components/List";
import { Loading } from "@/components/Loading";
import { Notice } from "@/components/Notice";
import { PageHeader } from "@/components/PageHeader";
import { Section } from "@/components/Section";
import { Tag } from "@/components/Status";
import { Time } from "@/components/Time";
import { AuditFilters } from "./AuditFilters";
import { asAuditQuery, type AuditSearch } from "./auditSearch";
import { Needs } from "./Needs";
import css from "./Audit.module.css";

type Entry = Schemas["AuditEntryAnswer"];

const route = getRouteApi("/settings/audit");
const LOOKS = {
  done: { tone: "good", icon: IconCheck },
  refused: { tone: "warn", icon: IconBan },
  failed: { tone: "bad", icon: IconAlertTriangle },
} as const;

/** Who did what, when, from where. Nothing here changes it. */
export function AuditPage() {
  const { t } = useTranslation("audit");
  return (
    <Needs permission="can_view_audit" title={t("title")}>
      <Audit />
    </Needs>
  );
}

function Audit() {
  const { t } = useTranslation("audit");
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { entry, ...filters } = search;
  const { timeZone } = useMe();
  const asked = asAuditQuery(filters, timeZone);
  const show = (next: AuditSearch) => void navigate({ search: next, replace: true });
  const query = useInfiniteQuery({
    queryKey: ["audit", "list", asked],
    queryFn: ({ pageParam }) => got(api.GET("/audit", { params: { query: { limit: 50, ...asked, ...(pageParam && { after: pageParam }) } } })),
    initialPageParam: "",
    getNextPageParam: (page: Page<Entry>) => page.next ?? undefined,
  });
  const columns: Column<Entry>[] = [
    { id: "action", header: t("action"), cell: (row) => <code className="mono">{row.action}</code> },
    { id: "by", header: t("by"), cell: (row) => row.by.name },
    { id: "object", header: t("object"), cell: (row) => (row.object ? t("objectOf", { kind: row.object.kind, id: short(row.object.id) }) : "–"), wideOnly: true },
    { id: "outcome", header: t("outcome"), cell: (row) => <Tag {...LOOKS[row.outcome]} text={t(`outcomes.${row.outcome}`)} />, width: "8rem" },
    { id: "at", header: t("at"), cell: (row) => <Time at={row.at} />, align: "end", width: "10rem" },
  ];
  const exported = under(`/audit/export?${new URLSearchParams(Object.entries(asked)).toString()}`);
  return (
    <>
      <PageHeader
        title={t("title")}
        below={t("text")}
        actions={
          <>
            <Button component="a" href={exported} download variant="default" leftSection={<IconDownload size={15} />}>
              {t("export")}
            </Button>
            <CurlButton
              calls={[
                { text: t("title"), call: { path: "/audit" } },
                { text: t("export"), call: { path: "/audit/export" } },
                { text: t("verify.do"), call: { path: "/audit/verify" } },
              ]}
            />
          </>
        }
      />
      <Chains of={search.of} onChosen={(of) => show(of ? { of } : {})} />
      <AuditFilters key={search.of ?? ""} search={filters} onChange={show} />
      {entry && <Detail id={entry} of={search.of} filters={filters} onClose={() => show(filters)} />}
      <List
        label={t("title")}
        query={query}
        columns={columns}
        keyOf={(row) => row.id}
        link={(row) => ({ to: "/settings/audit", search: { ...filters, entry: row.id } })}
        empty={<Empty icon={IconListSearch} title={t("none")} text={t("noneText")} />}
      />
    </>
  );
}

/** Which chain is looked at, and whether it hangs together. */
function Chains({ of, onChosen }: { of: "organization" | undefined; onChosen: (of: "organization" | undefined) => void }) {
  const { t } = useTranslation("audit");
  const whole = useMay("can_manage_users");
  const verify = useMutation({
    mutationFn: () => got(api.GET("/audit/verify", { params: { query: { of: of ?? "workspace" } } })),
  });
  const report = verify.data;
  return (
    <div className={css.chains}>
      <div className={css.line}>
        {whole && (
          <SegmentedControl
            size="xs"
            aria-label={t("of.name")}
            data={[
              { value: "workspace", label: t("of.workspace") },
              { value: "organization", label: t("of.organization") },
            ]}
            value={of ?? "workspace"}
            onChange={(value) => {
              verify.reset();
              onChosen(value === "organization" ? "organization" : undefined);
            }}
          />
        )}
        <Allowed by="can_view_audit">
          <Button variant="subtle" size="compact-sm" leftSection={<IconShieldCheck size={15} />} loading={verify.isPending} onClick={() => verify.mutate()}>
            {t("verify.do")}
          </Button>
        </Allowed>
      </div>
      <div role="status">
        {verify.isError && <Failure error={verify.error} />}
        {report && (
          <Notice tone={report.intact ? "busy" : "bad"} title={t(report.intact ? "verify.intact" : "verify.broken", { count: report.entries })}>
            {report.problem && <p>{report.problem}</p>}
            {report.first !== null && report.first > 1 && <p>{t("verify.shortened", { first: report.first })}</p>}
            {report.head && (
              <p className={css.line}>
                {t("verify.head")} <Id id={report.head} what={t("verify.headName")} />
              </p>
            )}
          </Notice>
        )}
      </div>
    </div>
  );
}

interface DetailProps {
  id: string;
  of: "organization" | undefined;
  filters: AuditSearch;
  onClose: () => void;
}

/** One entry, with what changed. */
function Detail({ id, of, filters, onClose }: DetailProps) {
  const { t } = useTranslation("audit");
  const { data, error } = useQuery({
    queryKey: ["audit", "entry", of, id],
    queryFn: async () => {
      const found = await got(api.GET("/audit", { params: { query: { text: id, limit: 20, ...(of && { of }) } } }));
      return found.data.find((one) => one.id === id) ?? null;
    },
  });
  const narrowed = { ...(of && { of }) };
  return (
    <Section title={data?.action ?? t("entry")} actions={<CloseButton size="sm" aria-label={t("close")} onClick={onClose} />}>
      {error && <Failure error={error} />}
      {!error && data === undefined && <Loading />}
      {data === null && <p className="quiet">{t("gone")}</p>}
      {data && (
        <div className={css.entry}>
          <dl className={css.facts}>
            <Fact name={t("outcome")}>
              <Tag {...LOOKS[data.outcome]} text={t(`outcomes.${data.outcome}`)} /> {data.code && <code className="mono">{data.code}</code>}
            </Fact>
            <Fact name={t("at")}>
              <Time at={data.at} /> {data.times > 1 && <span className="quiet">{t("times", { count: data.times })}</span>}
            </Fact>
            <Fact name={t("by")}>
              {data.by.name} <span className="quiet">{t(`actor.${data.by.type}`)}</span>{" "}
              {data.by.id && filters.actor !== data.by.id && (
                <Link to="/settings/audit" search={{ ...narrowed, actor: data.by.id }}>
                  {t("onlyBy")}
                </Link>
              )}
            </Fact>
            {data.object && (
              <Fact name={t("object")}>
                {data.object.kind} {data.object.id && <Id id={data.object.id} what={t("object")} />}{" "}
                {data.object.id && filters.object !== data.object.id && (
                  <Link to="/settings/audit" search={{ ...narrowed, object: data.object.id }}>
                    {t("onlyObject")}
                  </Link>
                )}
              </Fact>
            )}
            {Object.entries(data.within).map(([name, value]) => (
              <Fact key={name} name={name}>
                {value}
              </Fact>
            ))}
            {data.address && <Fact name={t("address")}>{data.address}</Fact>}
            {data.userAgent && <Fact name={t("browser")}>{data.userAgent}</Fact>}
            {data.by.session && (
              <Fact name={t("session")}>
                <Id id={data.by.session} what={t("session")} />
              </Fact>
            )}
            {data.requestId && (
              <Fact name={t("request")}>
                <Id id={data.requestId} what={t("request")} />
              </Fact>
            )}
            <Fact name={t("place")}>
              {data.number === null ? t("unsealed") : t("number", { number: data.number })} {data.hash && <Id id={data.hash} what={t("hash")} />}
            </Fact>
          </dl>
          {(data.before ?? data.after) && (
            <div className={css.sides}>
              <Side title={t("before")} value={data.before} />
              <Side title={t("after")} value={data.after} />
            </div>
          )}
        </div>
      )}
    </Section>
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

function Side({ title, value }: { title: string; value: Entry["before"] }) {
  return (
    <div>
      <h3 className={css.side}>{title}</h3>
      <Json value={value} />
    </div>
  );
}

/** As much of an id as tells two apart at a glance: the whole of it stands in the entry. */
function short(id: string | null): string {
  return id === null ? "" : id.length > 24 ? `…${id.slice(-8)}` : id;
}
