import { Button, Checkbox, Group } from "@mantine/core";
import { IconDownload, IconEraser, IconUserSearch } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, got, type Schemas } from "@/api/client";
import { ApiError } from "@/api/errors";
import { useMe } from "@/app/auth";
import { Reasoned } from "@/components/Allowed";
import { confirm } from "@/components/confirm";
import { Empty } from "@/components/Empty";
import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { Notice } from "@/components/Notice";
import { PageHeader } from "@/components/PageHeader";
import { download } from "@/components/report";
import { Section } from "@/components/Section";
import { Needs } from "./Needs";
import { proven } from "./proof";
import { SearchInput } from "./SearchInput";
import css from "./Settings.module.css";

type Counts = Record<string, number>;
const MOST_TABLES = 50;
const OF_EACH = 20;
const AT_ONCE = 6;
const KINDS = [
  "records",
  "fields",
  "changes",
  "comments",
  "attachments",
  "executions",
  "steps",
  "receivedEvents",
  "drafts",
  "executionComments",
  "storedParameters",
  "maskedExecutions",
  "links",
  "webhookAnswers",
  "files",
] as const;
const route = getRouteApi("/settings/erasure");

/** A record that may be about the person. */
interface Hit {
  key: string;
  table: string;
  id: string;
  text: string;
}

/** What came of one record. */
interface Outcome {
  table: string;
  id: string;
  erased: Counts | null;
  error: string | null;
}

/** Finds what is kept of a person, says what would go, and erases it. */
export function ErasurePage() {
  const { t } = useTranslation("admin");
  const { search } = route.useSearch();
  const navigate = route.useNavigate();
  const [outcomes, setOutcomes] = useState<readonly Outcome[]>();
  return (
    <Needs permission="can_erase" title={t("erasure.title")}>
      <PageHeader title={t("erasure.title")} below={t("erasure.text")} />
      <div className={css.filters} role="search">
        <SearchInput
          label={t("erasure.search")}
          value={search ?? ""}
          onSearch={(words) => {
            setOutcomes(undefined);
            void navigate({ search: words ? { search: words } : {}, replace: true });
          }}
        />
      </div>
      {outcomes && <Report outcomes={outcomes} />}
      {!search && <Empty icon={IconUserSearch} title={t("erasure.begin")} text={t("erasure.beginText")} />}
      {search && !outcomes && <Found key={search} words={search} onDone={setOutcomes} />}
    </Needs>
  );
}

function Found({ words, onDone }: { words: string; onDone: (outcomes: readonly Outcome[]) => void }) {
  const { t } = useTranslation("admin");
  const { workspace } = useMe();
  const queryClient = useQueryClient();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [busy, setBusy] = useState(false);
  const query = useQuery({ queryKey: ["settings", "erasure", workspace.id, words], queryFn: () => hitsOf(words), retry: false });
  if (query.error) return <Failure error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data) return <Loading />;
  const { hits, unread, more } = query.data;
  const wanted = hits.filter(({ key }) => chosen.has(key));
  const erase = async () => {
    const sure = await confirm({
      title: t("erasure.sure", { count: wanted.length }),
      text: t("erasure.sureText"),
      action: t("erasure.erase", { count: wanted.length }),
      dangerous: true,
    });
    if (sure === undefined) return;
    setBusy(true);
    const outcomes: Outcome[] = [];
    for (const hit of wanted) outcomes.push(await erased(hit));
    await queryClient.invalidateQueries({ queryKey: ["settings", "erasure"] });
    onDone(outcomes);
  };
  return (
    <>
      {unread.length > 0 && <Notice tone="warn" title={t("erasure.unread", { tables: unread.join(", ") })} />}
      {more.length > 0 && <Notice tone="warn" title={t("erasure.more", { tables: more.join(", ") })} />}
      {hits.length === 0 ? (
        <Empty icon={IconUserSearch} title={t("erasure.none")} text={t("erasure.noneText")} />
      ) : (
        <>
          <p className={css.partText}>{t("erasure.found", { count: hits.length })}</p>
          <ul className={css.sessions}>
            {hits.map((hit) => (
              <HitRow
                key={hit.key}
                hit={hit}
                chosen={chosen.has(hit.key)}
                onChoose={(on) => {
                  const next = new Set(chosen);
                  if (on) next.add(hit.key);
                  else next.delete(hit.key);
                  setChosen(next);
                }}
              />
            ))}
          </ul>
          <Group mt="md">
            <Reasoned reason={wanted.length === 0 ? t("erasure.choose") : undefined}>
              <Button color="red.8" leftSection={<IconEraser size={15} />} loading={busy} onClick={() => void erase()}>
                {t("erasure.erase", { count: wanted.length })}
              </Button>
            </Reasoned>
          </Group>
          <p className={css.partText}>{t("erasure.notReached")}</p>
        </>
      )}
    </>
  );
}

function HitRow({ hit, chosen, onChoose }: { hit: Hit; chosen: boolean; onChoose: (on: boolean) => void }) {
  const { t } = useTranslation("admin");
  const path = { tableId: hit.table, recordId: hit.id };
  const preview = useQuery({
    queryKey: ["settings", "erasure", "preview", hit.key],
    queryFn: () => got(api.POST("/tables/{tableId}/records/{recordId}/erasure", { params: { path } })),
    enabled: chosen,
    retry: false,
    staleTime: 0,
  });
  return (
    <li>
      <div className={css.hit}>
        <Checkbox
          size="xs"
          label={
            <>
              <span className={css.name}>{hit.text}</span> <span className="quiet">{hit.table}</span>
            </>
          }
          checked={chosen}
          onChange={(event) => onChoose(event.currentTarget.checked)}
        />
        <div role="status">
          {chosen && preview.isFetching && <span className="quiet">{t("erasure.looking")}</span>}
          {chosen && preview.error && <Failure error={preview.error} />}
          {chosen && preview.data && !preview.isFetching && (
            <>
              <p className={css.noMargin}>{t("erasure.would")}</p>
              <CountList counts={preview.data} />
            </>
          )}
        </div>
      </div>
      <Link to="/records/$table/$recordId" params={{ table: hit.table, recordId: hit.id }}>
        {t("erasure.open")}
      </Link>
    </li>
  );
}

function CountList({ counts }: { counts: Counts }) {
  const { t } = useTranslation("admin");
  const told = Object.entries(counts).filter(([, count]) => count > 0);
  if (told.length === 0) return <p className={css.noMargin}>{t("erasure.nothing")}</p>;
  return (
    <ul className={css.counts}>
      {told.map(([kind, count]) => {
        const known = KINDS.find((one) => one === kind);
        return (
          <li key={kind}>
            <span className="numbers">{count}</span> {known ? t(`erasure.kinds.${known}`) : kind}
          </li>
        );
      })}
    </ul>
  );
}

function Report({ outcomes }: { outcomes: readonly Outcome[] }) {
  const { t } = useTranslation("admin");
  const failed = outcomes.filter(({ erased }) => erased === null);
  const save = () => {
    const facts = { erasedAt: new Date().toISOString(), records: outcomes };
    download("erasure.json", JSON.stringify(facts, null, 2), "application/json");
  };
  return (
    <Section
      title={t("erasure.report")}
      actions={
        <Button variant="default" leftSection={<IconDownload size={15} />} onClick={save}>
          {t("erasure.save")}
        </Button>
      }
    >
      <div role="status">
        <Notice tone={failed.length > 0 ? "bad" : "busy"} title={failed.length > 0 ? t("erasure.partly", { count: failed.length }) : t("erasure.done", { count: outcomes.length })} />
      </div>
      <ul className={css.sessions}>
        {outcomes.map((outcome) => (
          <li key={`${outcome.table} ${outcome.id}`}>
            <div className={css.hit}>
              <div>
                <span className={css.name}>{outcome.table}</span> <code className="mono quiet">{outcome.id}</code>
              </div>
              {outcome.erased ? <CountList counts={outcome.erased} /> : <p className={css.noMargin}>{outcome.error}</p>}
            </div>
          </li>
        ))}
      </ul>
    </Section>
  );
}

async function erased({ table, id }: Hit): Promise<Outcome> {
  const path = { tableId: table, recordId: id };
  try {
    const counts = await proven(() => got(api.DELETE("/tables/{tableId}/records/{recordId}", { params: { path, query: { erase: true } } })));
    return { table, id, erased: counts as unknown as Counts, error: null };
  } catch (error) {
    return { table, id, erased: null, error: error instanceof Error ? error.message : String(error) };
  }
}

/** Records of every table that have these words, the tables that could not be searched, and those that have more. */
async function hitsOf(words: string): Promise<{ hits: Hit[]; unread: string[]; more: string[] }> {
  const tables = await allTables();
  const hits: Hit[] = [];
  const unread: string[] = [];
  const more: string[] = [];
  for (let at = 0; at < tables.length; at += AT_ONCE) {
    const part = tables.slice(at, at + AT_ONCE);
    const found = await Promise.allSettled(part.map((table) => ofTable(table, words)));
    found.forEach((one, place) => {
      const name = part[place]?.name ?? "";
      if (one.status === "fulfilled") {
        hits.push(...one.value.hits);
        if (one.value.more) more.push(name);
      }
      else if (one.reason instanceof ApiError && one.reason.status === 403) unread.push(name);
      else throw one.reason;
    });
  }
  return { hits, unread, more };
}

async function allTables(): Promise<Schemas["TableAnswer"][]> {
  const found: Schemas["TableAnswer"][] = [];
  let after: string | null | undefined;
  do {
    const page = await got(api.GET("/tables", { params: { query: { limit: MOST_TABLES, ...(after && { after }) } } }));
    found.push(...page.data);
    after = page.next;
  } while (after);
  return found;
}

async function ofTable(table: Schemas["TableAnswer"], words: string): Promise<{ hits: Hit[]; more: boolean }> {
  const path = { tableId: table.name };
  const { data, next } = await got(api.POST("/tables/{tableId}/records/search", { params: { path }, body: { text: words, limit: OF_EACH } as never }));
  const hits = data.map((record) => ({ key: `${table.name} ${record.id}`, table: table.name, id: record.id, text: shown(record) }));
  return { hits, more: Boolean(next) };
}

const SERVERS = new Set(["id", "version", "createdAt", "updatedAt"]);

/** The first texts of a record: what people recognise it by. */
function shown(record: Record<string, unknown>): string {
  const texts = Object.entries(record).flatMap(([name, value]) => (!SERVERS.has(name) && typeof value === "string" && value.trim() ? [value] : []));
  return texts.slice(0, 3).join(" · ") || String(record["id"]);
}
