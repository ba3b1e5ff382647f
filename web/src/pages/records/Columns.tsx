import { ActionIcon, Button, Checkbox, Popover } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconColumns3 } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { columnsOf, keptLayout, reordered } from "./grid/layout";
import type { RecordsSearch } from "./search";
import { titleOf, type Table } from "./types";
import css from "./Records.module.css";

interface Props {
  table: Table;
  search: RecordsSearch;
  onChange: (search: RecordsSearch) => void;
}

/** Which columns the grid has, and in which order. */
export function Columns({ table, search, onChange }: Props) {
  const { t, i18n } = useTranslation("grid");
  const layout = search.columns || search.widths ? search : keptLayout(table);
  const shown = columnsOf(table.fields, layout).map(({ field }) => field.name);
  const ordered = [...shown, ...table.fields.map(({ name }) => name).filter((name) => !shown.includes(name))];
  const set = (columns: string[]) => onChange({ ...search, columns, ...(layout.widths && { widths: layout.widths }) });
  const reset = () => onChange({ ...search, columns: table.fields.map(({ name }) => name), widths: {} });
  return (
    <Popover position="bottom-end" trapFocus returnFocus>
      <Popover.Target>
        <Button variant="subtle" leftSection={<IconColumns3 size={15} />}>
          {t("column.choose")}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <ul className={css.columns}>
          {ordered.map((name) => {
            const field = table.fields.find((one) => one.name === name);
            const title = field ? titleOf(field, i18n.language) : name;
            const place = shown.indexOf(name);
            return (
              <li key={name}>
                <Checkbox
                  size="xs"
                  label={title}
                  checked={place >= 0}
                  disabled={place >= 0 && shown.length === 1}
                  onChange={(event) => set(event.currentTarget.checked ? [...shown, name] : shown.filter((one) => one !== name))}
                />
                <ActionIcon size="sm" aria-label={t("column.up", { field: title })} disabled={place < 1} onClick={() => set(reordered(shown, name, place - 1))}>
                  <IconArrowUp size={14} />
                </ActionIcon>
                <ActionIcon
                  size="sm"
                  aria-label={t("column.down", { field: title })}
                  disabled={place < 0 || place === shown.length - 1}
                  onClick={() => set(reordered(shown, name, place + 1))}
                >
                  <IconArrowDown size={14} />
                </ActionIcon>
              </li>
            );
          })}
        </ul>
        <Button size="compact-xs" variant="subtle" onClick={reset}>
          {t("column.reset")}
        </Button>
      </Popover.Dropdown>
    </Popover>
  );
}
