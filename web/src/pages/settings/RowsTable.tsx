import { useTranslation } from "react-i18next";
import { Button } from "@mantine/core";
import { IconChevronLeft, IconChevronRight } from "@tabler/icons-react";

import type { Column } from "@/components/List";
import css from "./Settings.module.css";

interface TableProps<Row> {
  label: string;
  rows: readonly Row[];
  columns: readonly Column<Row>[];
  keyOf: (row: Row) => string;
}

/** Rows that lead nowhere: what can be done with one stands in it. On a phone each row is a card. */
export function RowsTable<Row>({ label, rows, columns, keyOf }: TableProps<Row>) {
  return (
    <table className={css.table}>
      <caption className={css.words}>{label}</caption>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column.id} scope="col" data-align={column.align}>
              {column.align === "end" ? <span className={css.words}>{column.header}</span> : column.header}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={keyOf(row)}>
            {columns.map((column) => (
              <td key={column.id} data-align={column.align} data-label={column.align ? undefined : column.header}>
                <div>{column.cell(row)}</div>
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface RowAct {
  text: string;
  /** What it does to which row, for those who do not see the row. */
  name: string;
  act: () => void;
}

/** What can be done with a row. */
export function RowActs({ acts }: { acts: readonly RowAct[] }) {
  return (
    <span className={css.acts}>
      {acts.map(({ text, name, act }) => (
        <Button key={text} variant="default" aria-label={name} onClick={act}>
          {text}
        </Button>
      ))}
    </span>
  );
}

interface PagerProps {
  /** From 0. */
  page: number;
  size: number;
  total: number;
  onPage: (page: number) => void;
}

/** Which rows of how many are shown, and the way to the others. */
export function Pager({ page, size, total, onPage }: PagerProps) {
  const { t, i18n } = useTranslation("admin");
  const number = new Intl.NumberFormat(i18n.language);
  const from = Math.min(page * size + 1, total);
  const to = Math.min((page + 1) * size, total);
  return (
    <div className={css.pager}>
      <span role="status" className="numbers quiet">
        {t("pager.range", { from: number.format(from), to: number.format(to), total: number.format(total) })}
      </span>
      {total > size && (
        <nav aria-label={t("pager.title")} className={css.acts}>
          <Button variant="default" leftSection={<IconChevronLeft size={14} />} disabled={page === 0} onClick={() => onPage(page - 1)}>
            {t("pager.previous")}
          </Button>
          <Button variant="default" rightSection={<IconChevronRight size={14} />} disabled={to >= total} onClick={() => onPage(page + 1)}>
            {t("pager.next")}
          </Button>
        </nav>
      )}
    </div>
  );
}
