import { Button, Group } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { ApiError } from "@/api/errors";
import { Allowed } from "@/components/Allowed";
import { notifyFailed } from "@/components/confirm";
import { Failure } from "@/components/Failure";
import { Notice } from "@/components/Notice";
import { tableQuery } from "./queries";
import { withoutIndex, type RecordsSearch } from "./search";
import { titleOf, type Field, type Table } from "./types";
import css from "./Records.module.css";

/** Fields of an advice. */
const MOST_NAMED = 5;

interface Props {
  table: Table;
  search: RecordsSearch;
  onSearch: (search: RecordsSearch) => void;
}

/** Whether a search was given up as too slow. */
export function isTooSlow(error: unknown): boolean {
  return error instanceof ApiError && error.has("SEARCH_TOO_SLOW");
}

/** Why a search found nothing: where it was given up as too slow, with what makes it fast. */
export function SearchFailure({ error, onRetry, ...props }: Props & { error: unknown; onRetry: () => void }) {
  if (!isTooSlow(error)) return <Failure error={error} onRetry={onRetry} />;
  return <Unindexed {...props} onRetry={onRetry} />;
}

/** That a list reads record after record, and the offer to make the index that it lacks. `onRetry`: it was given up. */
export function Unindexed({ table, search, onSearch, onRetry }: Props & { onRetry?: () => void }) {
  const { t, i18n } = useTranslation(["records", "common"]);
  const gaveUp = onRetry !== undefined;
  const lacking = withoutIndex(search, table.fields);
  const [first] = lacking;
  const fields = new Intl.ListFormat(i18n.language).format(lacking.map((field) => t("slow.field", { field: titleOf(field, i18n.language) })));
  const all = new Intl.ListFormat(i18n.language, { type: "disjunction" });
  const indexed = all.format(table.fields.filter((field) => field.indexed).slice(0, MOST_NAMED).map((field) => titleOf(field, i18n.language)));
  if (!first && !gaveUp) return null;
  const isBuilding = lacking.some((field) => field.index === "building");
  const problem = lacking.find((field) => field.index === "failed")?.indexProblem;
  return (
    <div className={css.unindexed}>
      <Notice tone={isBuilding ? "busy" : "warn"} alert={gaveUp} title={gaveUp && !isBuilding ? t("slow.title") : undefined}>
        <p role="status">
          {first && t(isBuilding ? "slow.making" : gaveUp ? "slow.text" : "slow.hint", { count: lacking.length, fields })}
          {!first && t(indexed ? "slow.narrow" : "slow.words", { fields: indexed })}
          {problem && ` ${t("slow.failed", { why: problem })}`}
        </p>
        <Group gap="xs" mt="xs">
          {first && !isBuilding && <MakeIndex table={table} fields={lacking} />}
          {gaveUp && !first && (
            <Button variant="default" onClick={onRetry}>
              {t("common:failure.again")}
            </Button>
          )}
          {gaveUp && (
            <Button variant="default" onClick={() => onSearch(plain(search))}>
              {t("slow.without")}
            </Button>
          )}
        </Group>
      </Notice>
    </div>
  );
}

function MakeIndex({ table, fields }: { table: Table; fields: readonly Field[] }) {
  const { t } = useTranslation("records");
  const queryClient = useQueryClient();
  const make = useMutation({
    mutationFn: () =>
      got(
        api.PATCH("/tables/{tableId}", {
          params: { path: { tableId: table.id } },
          headers: { "If-Match": `"${table.version ?? 0}"` },
          body: { fields: table.fields.map((field) => (fields.includes(field) ? { ...field, indexed: true } : field)) } as never,
        }),
      ),
    onSettled: () => queryClient.invalidateQueries({ queryKey: tableQuery(table.name).queryKey }),
    onError: notifyFailed,
  });
  return (
    <Allowed by="can_manage_tables">
      <Button loading={make.isPending} onClick={() => make.mutate()}>
        {t("slow.make", { count: fields.length })}
      </Button>
    </Allowed>
  );
}

/** Whether an index of the table is being made. */
export function isBuilding(table: Table | undefined): boolean {
  return table?.fields.some(({ index }) => index === "building") ?? false;
}

/** Reads the lists of a table anew as soon as it has another index. */
export function useIndexMade(table: Table | undefined): void {
  const queryClient = useQueryClient();
  const name = table?.name;
  const ready = table?.fields.filter(({ indexed, index }) => indexed && index === "ready").map((field) => field.name).join(" ");
  const before = useRef(ready);
  useEffect(() => {
    if (before.current !== undefined && before.current !== ready) {
      for (const kind of ["list", "board"]) void queryClient.invalidateQueries({ queryKey: ["records", name, kind] });
    }
    before.current = ready;
  }, [ready, name, queryClient]);
}

/** The search without what narrows and orders it. */
function plain(search: RecordsSearch): RecordsSearch {
  const next = { ...search };
  delete next.sort;
  delete next.where;
  return next;
}
