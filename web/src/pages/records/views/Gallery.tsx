import { Button } from "@mantine/core";
import { IconDatabase, IconPhoto } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { Empty } from "@/components/Empty";
import { Loading } from "@/components/Loading";
import { useMay } from "@/app/auth";
import { under } from "@/app/prefix";
import { columnsOf } from "../grid/layout";
import { recordsQuery } from "../queries";
import { isNarrowed, type RecordsSearch } from "../search";
import { nameOf, type Table, type TableRecord } from "../types";
import { SearchFailure, Unindexed } from "../Unindexed";
import { CardFields } from "./Board";
import css from "./Views.module.css";

/** Records as cards, with the first picture of each. */
export function Gallery({ table, search, onSearch }: { table: Table; search: RecordsSearch; onSearch: (search: RecordsSearch) => void }) {
  const { t, i18n } = useTranslation("records");
  const query = useInfiniteQuery(recordsQuery(table, search));
  const maySee = useMay("can_read_attachments");
  const pictured = maySee ? table.fields.find(({ type }) => type === "attachment") : undefined;
  const shown = columnsOf(table.fields, search).map(({ field }) => field).filter(({ type }) => !["json", "array", "attachment"].includes(type));
  const records = query.data?.pages.flatMap((page) => page.data) ?? [];
  if (query.isError && records.length === 0) return <SearchFailure table={table} search={search} onSearch={onSearch} error={query.error} onRetry={() => void query.refetch()} />;
  if (query.isPending) return <Loading />;
  if (records.length === 0) return <Empty icon={IconDatabase} title={isNarrowed(search) ? t("empty.filtered") : t("empty.title")} text={isNarrowed(search) ? undefined : t("empty.text")} />;
  return (
    <div className={css.galleryScroll}>
      {query.data?.pages.some(({ isSlow }) => isSlow) && <Unindexed table={table} search={search} onSearch={onSearch} />}
      <ul className={css.gallery}>
        {records.map((record) => (
          <li key={record.id} className={css.card}>
            {pictured && <Picture record={record} field={pictured.name} />}
            <Link to="/records/$table/$recordId" params={{ table: table.name, recordId: record.id }} className={css.cardName}>
              {nameOf(record, table.fields)}
            </Link>
            <CardFields fields={shown} record={record} name={nameOf(record, table.fields)} language={i18n.language} />
          </li>
        ))}
      </ul>
      {query.hasNextPage && (
        <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {t("board.more")}
        </Button>
      )}
    </div>
  );
}

/** The first file of a field, where it is a picture. */
function Picture({ record, field }: { record: TableRecord; field: string }) {
  const [broken, setBroken] = useState(false);
  const files: unknown = record[field];
  const first: unknown = Array.isArray(files) ? files[0] : undefined;
  if (typeof first !== "string" || broken) {
    return (
      <div className={css.noPicture} aria-hidden>
        <IconPhoto size={22} stroke={1.3} />
      </div>
    );
  }
  return <img className={css.picture} src={under(`/resources/${encodeURIComponent(first)}`)} alt="" loading="lazy" onError={() => setBroken(true)} />;
}
