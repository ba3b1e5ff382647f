import { Button } from "@mantine/core";
import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { Failure } from "@/components/Failure";
import type { Column, Page } from "@/components/List";
import { Loading } from "@/components/Loading";
import { RowsTable } from "./RowsTable";

interface Props<Row> {
  label: string;
  query: UseInfiniteQueryResult<InfiniteData<Page<Row>>>;
  columns: readonly Column<Row>[];
  keyOf: (row: Row) => string;
  empty: ReactNode;
}

/** A list whose rows lead nowhere, read on by cursor. */
export function Rows<Row>({ label, query, columns, keyOf, empty }: Props<Row>) {
  const { t } = useTranslation();
  if (query.isError && !query.data) return <Failure error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data) return <Loading />;
  const rows = query.data.pages.flatMap((page) => page.data);
  if (rows.length === 0) return empty;
  return (
    <>
      <RowsTable label={label} rows={rows} columns={columns} keyOf={keyOf} />
      {query.isError && <Failure error={query.error} onRetry={() => void query.fetchNextPage()} />}
      {query.hasNextPage && (
        <Button variant="default" mt="sm" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {t("list.more")}
        </Button>
      )}
    </>
  );
}
