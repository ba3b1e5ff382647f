import { Button, Select } from "@mantine/core";
import { useInfiniteQuery, useQueryClient, type InfiniteData } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useEffectEvent, useState, type DragEvent, type KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { ApiError } from "@/api/errors";
import { useMay } from "@/app/auth";
import { notifyFailed, notifyUndo } from "@/components/confirm";
import { Empty } from "@/components/Empty";
import { Failure } from "@/components/Failure";
import type { Page } from "@/components/List";
import { localized } from "@/components/localized";
import { useLive } from "@/live/useLive";
import { IconLayoutKanban } from "@tabler/icons-react";
import { FieldValue } from "../FieldValue";
import { columnsOf } from "../grid/layout";
import { searchPage, type TimedPage } from "../queries";
import { asBody, type RecordsSearch } from "../search";
import { nameOf, titleOf, type Field, type Table, type TableRecord } from "../types";
import { isTooSlow, Unindexed } from "../Unindexed";
import css from "./Views.module.css";

const LIMIT = 30;
const SHOWN = 3;
const EVENTS = ["record.*"] as const;

interface Props {
  table: Table;
  search: RecordsSearch;
  onSearch: (search: RecordsSearch) => void;
}

/** A card that is being moved by keyboard: where it comes from, and the column that it stands over. */
interface Held {
  record: TableRecord;
  from: string;
  over: number;
}

/** Records as cards, in a column for each option of a field. Cards are dragged, or moved by Space and the arrows. */
export function Board({ table, search, onSearch }: Props) {
  const { t, i18n } = useTranslation("records");
  const queryClient = useQueryClient();
  const canEdit = useMay("can_edit_data");
  const choices = table.fields.filter(({ type }) => type === "singleSelect");
  const by = choices.find(({ name }) => name === search.by) ?? choices[0];
  const [held, setHeld] = useState<Held | undefined>();
  const [said, setSaid] = useState("");
  const [waits, setWaits] = useState<ReadonlyMap<string, Wait>>(new Map());
  const columns = [...(by?.options ?? []).map(({ value }) => value), ""];
  const key = ["records", table.name, "board", by?.name, search];
  useLive(EVENTS, ({ data }) => {
    if (data["tableId"] === table.id) void queryClient.invalidateQueries({ queryKey: ["records", table.name, "board"] });
  });
  if (!by) return <Empty icon={IconLayoutKanban} title={t("board.none")} text={t("board.noneText")} />;
  const titleFor = (value: string) => (value === "" ? t("board.empty") : localized(by.options?.find((one) => one.value === value)?.title, i18n.language) || value);

  const move = async (record: TableRecord, to: string, undoing = false) => {
    const there = record[by.name];
    const from = typeof there === "string" ? there : "";
    if (from === to) return;
    queryClient.setQueryData<InfiniteData<Page<TableRecord>>>([...key, from], (before) => without(before, record.id));
    queryClient.setQueryData<InfiniteData<Page<TableRecord>>>([...key, to], (before) => withFirst(before, { ...record, [by.name]: to || null }));
    try {
      const now = await got(
        api.PATCH("/tables/{tableId}/records/{recordId}", {
          params: { path: { tableId: table.name, recordId: record.id } },
          headers: { "If-Match": `"${record.version}"` },
          body: { [by.name]: to || null } as never,
        }),
      );
      const name = nameOf(record, table.fields);
      setSaid(t("board.moved", { name, column: titleFor(to) }));
      if (!undoing) notifyUndo(t("board.moved", { name, column: titleFor(to) }), t("board.undo"), () => void move(now, from, true));
    } catch (error) {
      notifyFailed(error instanceof ApiError && error.status === 412 ? new Error(t("board.overtaken")) : error);
    }
    await queryClient.invalidateQueries({ queryKey: ["records", table.name, "board"] });
  };

  const onKeyDown = (event: KeyboardEvent, record: TableRecord, column: number) => {
    if (event.target !== event.currentTarget) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const isHeld = held?.record.id === record.id;
    if (event.key === " " && canEdit) {
      event.preventDefault();
      if (isHeld) {
        setHeld(undefined);
        void move(record, columns[held.over] ?? "");
      } else {
        setHeld({ record, from: columns[column] ?? "", over: column });
        setSaid(t("board.held", { name: nameOf(record, table.fields) }));
      }
    } else if (isHeld && step !== undefined) {
      event.preventDefault();
      const over = Math.max(0, Math.min(columns.length - 1, held.over + step));
      setHeld({ ...held, over });
      setSaid(t("board.over", { column: titleFor(columns[over] ?? "") }));
    } else if (isHeld && event.key === "Escape") {
      setHeld(undefined);
      setSaid(t("board.let"));
    } else if (event.key.startsWith("Arrow")) walk(event);
  };
  return (
    <>
      <div className={css.boardHead}>
        <Select
          aria-label={t("board.by")}
          data={choices.map((field) => ({ value: field.name, label: t("board.byField", { field: titleOf(field, i18n.language) }) }))}
          value={by.name}
          onChange={(name) => name && onSearch({ ...search, by: name })}
          allowDeselect={false}
        />
        <span className="quiet">{t("board.hint")}</span>
      </div>
      <p role="status" className={css.said}>
        {said}
      </p>
      <Waiting table={table} search={search} by={by} waits={[...waits.values()]} onSearch={onSearch} />
      <div className={css.board} role="group" aria-label={titleOf(table, i18n.language)}>
        {columns.map((value, place) => (
          <BoardColumn
            key={value}
            table={table}
            search={search}
            by={by}
            value={value}
            title={titleFor(value)}
            queryKey={[...key, value]}
            held={held}
            isOver={held?.over === place}
            canEdit={canEdit}
            onKeyDown={(event, record) => onKeyDown(event, record, place)}
            onDrop={(record) => void move(record, value)}
            onWait={(wait) => setWaits((before) => (before.get(value) === wait ? before : new Map(before).set(value, wait)))}
          />
        ))}
      </div>
    </>
  );
}

/** Whether a column came at once, made people wait, or was given up. */
type Wait = "none" | "slow" | "gaveUp";

/** That columns read record after record, with the offer of the index that they lack: each looks for one value of a field. */
function Waiting({ table, search, by, waits, onSearch }: Props & { by: Field; waits: readonly Wait[] }) {
  const queryClient = useQueryClient();
  if (!waits.some((wait) => wait !== "none")) return null;
  const asked: RecordsSearch = { ...search, where: [...(search.where ?? []), { field: by.name, op: "isEmpty", value: "true" }] };
  const again = () => void queryClient.invalidateQueries({ queryKey: ["records", table.name, "board"] });
  return <Unindexed table={table} search={asked} onSearch={onSearch} {...(waits.includes("gaveUp") && { onRetry: again })} />;
}

interface ColumnProps {
  table: Table;
  search: RecordsSearch;
  by: Field;
  value: string;
  title: string;
  queryKey: readonly unknown[];
  held: Held | undefined;
  isOver: boolean;
  canEdit: boolean;
  onKeyDown: (event: KeyboardEvent, record: TableRecord) => void;
  onDrop: (record: TableRecord) => void;
  onWait: (wait: Wait) => void;
}

function BoardColumn({ table, search, by, value, title, queryKey, held, isOver, canEdit, onKeyDown, onDrop, onWait }: ColumnProps) {
  const { t, i18n } = useTranslation("records");
  const [dragged, setDragged] = useState(false);
  const body = asBody(search, table.fields);
  const condition = value === "" ? { field: by.name, op: "isEmpty", value: true } : { field: by.name, op: "eq", value };
  const filter = { and: [condition, ...(body.filter ? [body.filter] : [])] };
  const query = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) => searchPage(table, { ...body, filter, limit: LIMIT, ...(pageParam && { after: pageParam }) }),
    initialPageParam: "",
    getNextPageParam: (page: TimedPage) => page.next ?? undefined,
  });
  const wait: Wait = isTooSlow(query.error) ? "gaveUp" : query.data?.pages.some(({ isSlow }) => isSlow) ? "slow" : "none";
  const tell = useEffectEvent(onWait);
  useEffect(() => tell(wait), [wait]);
  const records = query.data?.pages.flatMap((page) => page.data) ?? [];
  const shown = columnsOf(table.fields, search).map(({ field }) => field).filter((field) => field.name !== by.name && !["json", "array", "attachment"].includes(field.type));
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setDragged(false);
    const given = event.dataTransfer.getData("application/json");
    if (given) onDrop(JSON.parse(given) as TableRecord);
  };
  return (
    <section
      className={css.column}
      aria-label={title}
      data-over={isOver || dragged || undefined}
      onDragOver={(event) => {
        event.preventDefault();
        setDragged(true);
      }}
      onDragLeave={() => setDragged(false)}
      onDrop={drop}
    >
      <h2 className={css.columnTitle}>
        {title}{" "}
        <span className="quiet numbers">
          {records.length}
          {query.hasNextPage && "+"}
        </span>
      </h2>
      {query.isError && wait !== "gaveUp" && <Failure error={query.error} onRetry={() => void query.refetch()} />}
      <ul className={css.cards}>
        {records.map((record) => {
          const name = nameOf(record, table.fields);
          return (
            <li key={record.id}>
              <div
                role="group"
                aria-roledescription={t("board.card")}
                aria-label={name}
                tabIndex={0}
                className={css.card}
                data-card
                data-held={held?.record.id === record.id || undefined}
                draggable={canEdit}
                onDragStart={(event) => event.dataTransfer.setData("application/json", JSON.stringify(record))}
                onKeyDown={(event) => onKeyDown(event, record)}
              >
                <Link to="/records/$table/$recordId" params={{ table: table.name, recordId: record.id }} className={css.cardName} draggable={false}>
                  {name}
                </Link>
                <CardFields fields={shown} record={record} name={name} language={i18n.language} />
              </div>
            </li>
          );
        })}
      </ul>
      {query.hasNextPage && (
        <Button variant="subtle" size="compact-xs" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {t("board.more")}
        </Button>
      )}
    </section>
  );
}

/** The first fields that a record has a value of. */
export function CardFields({ fields, record, name, language }: { fields: readonly Field[]; record: TableRecord; name: string; language: string }) {
  const filled = fields.filter((field) => ![null, undefined, ""].includes(record[field.name] as null) && record[field.name] !== name).slice(0, SHOWN);
  return (
    <dl className={css.facts}>
      {filled.map((field) => (
        <div key={field.name}>
          <dt>{titleOf(field, language)}</dt>
          <dd>
            <FieldValue field={field} value={record[field.name]} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** From card to card: up and down in a column, left and right to the nearest one of the next. */
function walk(event: KeyboardEvent): void {
  const card = event.currentTarget as HTMLElement;
  const column = card.closest("section");
  const cards = (of: Element | null | undefined) => [...(of?.querySelectorAll<HTMLElement>("[data-card]") ?? [])];
  const place = cards(column).indexOf(card);
  const nearest = (some: HTMLElement[]) => some[Math.min(place, some.length - 1)];
  const ways: Record<string, () => HTMLElement | undefined> = {
    ArrowUp: () => cards(column)[place - 1],
    ArrowDown: () => cards(column)[place + 1],
    ArrowLeft: () => nearest(cards(column?.previousElementSibling)),
    ArrowRight: () => nearest(cards(column?.nextElementSibling)),
  };
  const next = ways[event.key]?.();
  if (!next) return;
  event.preventDefault();
  next.focus();
}

type Pages = InfiniteData<Page<TableRecord>> | undefined;

function without(before: Pages, id: string): Pages {
  return before && { ...before, pages: before.pages.map((page) => ({ ...page, data: page.data.filter((one) => one.id !== id) })) };
}

function withFirst(before: Pages, record: TableRecord): Pages {
  return before && { ...before, pages: before.pages.map((page, place) => (place === 0 ? { ...page, data: [record, ...page.data] } : page)) };
}
