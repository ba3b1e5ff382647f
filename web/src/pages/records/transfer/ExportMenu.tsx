import { Button, Menu } from "@mantine/core";
import { IconChevronDown, IconDownload } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { under } from "@/app/prefix";
import { Allowed } from "@/components/Allowed";
import { columnsOf, keptLayout } from "../grid/layout";
import { asBody, type RecordsSearch } from "../search";
import type { Table } from "../types";

/** Downloads what is seen: what the filters leave, in this order, with these columns. No cell is a formula. */
export function ExportMenu({ table, search }: { table: Table; search: RecordsSearch }) {
  const { t } = useTranslation("transfer");
  const layout = search.columns ? search : keptLayout(table);
  const seen = columnsOf(table.fields, layout).map(({ field }) => field.name);
  const address = (format: "csv" | "jsonl", fields?: readonly string[]) => {
    const { filter, text, sort } = asBody(search, table.fields);
    const query = new URLSearchParams({
      format,
      ...(format === "csv" && { safe: "true" }),
      ...(filter !== undefined && { filter: JSON.stringify(filter) }),
      ...(text && { text }),
      ...(sort && { sort: sort.join(",") }),
      ...(fields && { fields: fields.join(",") }),
    });
    return under(`/tables/${encodeURIComponent(table.name)}/export?${query.toString()}`);
  };
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Allowed by="can_read_data">
          <Button variant="default" leftSection={<IconDownload size={15} />} rightSection={<IconChevronDown size={14} />}>
            {t("export.open")}
          </Button>
        </Allowed>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t("export.seen")}</Menu.Label>
        <Menu.Item component="a" href={address("csv", seen)} download>
          {t("export.csv")}
        </Menu.Item>
        <Menu.Item component="a" href={address("jsonl", seen)} download>
          {t("export.jsonl")}
        </Menu.Item>
        <Menu.Label>{t("export.all")}</Menu.Label>
        <Menu.Item component="a" href={address("csv")} download>
          {t("export.csv")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
