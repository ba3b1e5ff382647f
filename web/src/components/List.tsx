import { Button, Checkbox, Skeleton } from "@mantine/core";
import { IconArrowUp } from "@tabler/icons-react";
import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import { Link, useNavigate, type LinkOptions } from "@tanstack/react-router";
import { useMemo, useRef, type MouseEvent, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useShortcuts } from "@/app/keyboard";
import { Failure } from "./Failure";
import css from "./List.module.css";

/** What a list of the API answers. */
export interface Page<Row> {
  data: Row[];
  next?: string | null;
}

export interface Column<Row> {
  id: string;
  header: string;
  cell: (row: Row) => ReactNode;
  width?: string;
  align?: "end";
  /** Left out where the window is narrow. */
  wideOnly?: boolean;
}

interface Props<Row> {
  /** What the list is of, for those who do not see it. */
  label: string;
  query: UseInfiniteQueryResult<InfiniteData<Page<Row>>>;
  columns: readonly Column<Row>[];
  keyOf: (row: Row) => string;
  /** Where a row leads. */
  link: (row: Row) => LinkOptions;
  /** What is shown where there is no row. */
  empty: ReactNode;
  /** How many rows have come since the list was read: they are announced, and what is being read does not move. */
  news?: number;
  onNews?: () => void;
  /** Rows can be chosen: those that are, by their keys. */
  chosen?: ReadonlySet<string>;
  onChosen?: (chosen: ReadonlySet<string>) => void;
}

/** A list of the API, whose roles are said because narrow windows lay it out as no table: rows that are links, read on by cursor, walked by `j`, `k` and Enter. */
export function List<Row>({ label, query, columns, keyOf, link, empty, news = 0, onNews, chosen, onChosen }: Props<Row>) {
  const { t } = useTranslation();
  const body = useRef<HTMLTableSectionElement>(null);
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.data) ?? [], [query.data]);
  const walk = (step: number) => {
    const links = [...(body.current?.querySelectorAll<HTMLAnchorElement>("a[data-row]") ?? [])];
    const at = links.indexOf(document.activeElement as HTMLAnchorElement);
    const next = links[at < 0 ? (step > 0 ? 0 : links.length - 1) : Math.max(0, Math.min(at + step, links.length - 1))];
    next?.focus();
    next?.closest("tr")?.scrollIntoView({ block: "nearest" });
  };
  const choose = (key: string, on: boolean) => {
    const next = new Set(chosen);
    if (on) next.add(key);
    else next.delete(key);
    onChosen?.(next);
  };
  const chooseFocused = () => {
    const at = document.activeElement?.closest<HTMLElement>("tr[data-key]")?.dataset["key"];
    if (at !== undefined) choose(at, !chosen?.has(at));
  };
  useShortcuts(label, [
    { keys: "j", text: t("list.next"), run: () => walk(1) },
    { keys: "k", text: t("list.previous"), run: () => walk(-1) },
    ...(chosen ? [{ keys: "x", text: t("list.choose"), run: chooseFocused }] : []),
  ]);
  if (query.isError && rows.length === 0) return <Failure error={query.error} onRetry={() => void query.refetch()} />;
  if (query.isPending) return <Waiting columns={columns.length} />;
  return (
    <div className={css.list}>
      <div role="status" className={css.news}>
        {news > 0 && (
          <Button radius="xl" leftSection={<IconArrowUp size={14} />} onClick={onNews}>
            {t("list.news", { count: news })}
          </Button>
        )}
      </div>
      {rows.length === 0 ? (
        empty
      ) : (
        <table className={css.table} role="table">
          <caption className={css.caption}>{label}</caption>
          <thead role="rowgroup">
            <tr role="row">
              {chosen && (
                <th scope="col" role="columnheader" className={css.choice}>
                  <Checkbox
                    size="xs"
                    aria-label={t("list.chooseAll")}
                    checked={rows.length > 0 && rows.every((row) => chosen.has(keyOf(row)))}
                    indeterminate={chosen.size > 0 && !rows.every((row) => chosen.has(keyOf(row)))}
                    onChange={(event) => onChosen?.(new Set(event.currentTarget.checked ? rows.map(keyOf) : []))}
                  />
                </th>
              )}
              {columns.map((column) => (
                <th key={column.id} scope="col" role="columnheader" style={{ width: column.width }} data-align={column.align} data-wide={column.wideOnly}>
                  {column.header}
                </th>
              ))}
            </tr>
          </thead>
          <tbody ref={body} role="rowgroup">
            {rows.map((row) => (
              <ListRow
                key={keyOf(row)}
                id={keyOf(row)}
                row={row}
                columns={columns}
                link={link(row)}
                chosen={chosen?.has(keyOf(row))}
                onChosen={choose}
              />
            ))}
          </tbody>
        </table>
      )}
      {query.isError && <Failure error={query.error} onRetry={() => void query.fetchNextPage()} />}
      {query.hasNextPage && (
        <Button variant="default" className={css.more} loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {t("list.more")}
        </Button>
      )}
    </div>
  );
}

interface RowProps<Row> {
  id: string;
  row: Row;
  /** Undefined where rows cannot be chosen. */
  chosen: boolean | undefined;
  onChosen: (id: string, on: boolean) => void;
  columns: readonly Column<Row>[];
  link: LinkOptions;
}

function ListRow<Row>({ id, row, columns, link, chosen, onChosen }: RowProps<Row>) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const open = (event: MouseEvent) => {
    const { target } = event;
    // A click on a control, or the end of choosing text, is no click on the row.
    if (!(target instanceof Element) || target.closest("a, button, input, summary") || getSelection()?.type === "Range") return;
    void navigate(link);
  };
  return (
    <tr onClick={open} className={css.row} role="row" data-key={id} data-chosen={chosen || undefined}>
      {chosen !== undefined && (
        <td role="cell" className={css.choice}>
          <Checkbox size="xs" aria-label={t("list.chooseRow")} checked={chosen} onChange={(event) => onChosen(id, event.currentTarget.checked)} />
        </td>
      )}
      {columns.map((column, place) => (
        <td key={column.id} role="cell" data-align={column.align} data-wide={column.wideOnly}>
          {place === 0 ? (
            <Link {...link} className={css.link} data-row>
              {column.cell(row)}
            </Link>
          ) : (
            column.cell(row)
          )}
        </td>
      ))}
    </tr>
  );
}

function Waiting({ columns }: { columns: number }) {
  const { t } = useTranslation();
  return (
    <div role="status" className={css.waiting}>
      <span className={css.caption}>{t("loading")}</span>
      {Array.from({ length: 8 }, (_, row) => (
        <div key={row} className={css.waitingRow}>
          {Array.from({ length: Math.min(columns, 4) }, (_, column) => (
            <Skeleton key={column} height={12} width={`${70 - ((row * 7 + column * 13) % 40)}%`} />
          ))}
        </div>
      ))}
    </div>
  );
}
