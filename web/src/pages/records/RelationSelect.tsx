import { Select } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState, type KeyboardEventHandler, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { recordQuery, tableQuery } from "./queries";
import { nameOf, type TableRecord } from "./types";

const MOST = 20;

interface Props {
  /** The table whose record is chosen. */
  table: string;
  value: string | null;
  onChange: (value: string | null) => void;
  typed?: string | undefined;
  opened?: boolean;
  className?: string | undefined;
  label?: ReactNode;
  description?: ReactNode;
  error?: ReactNode;
  withAsterisk?: boolean;
  "aria-label"?: string;
  onBlur?: () => void;
  onKeyDown?: KeyboardEventHandler;
}

/** Chooses a record of another table by its words. */
export function RelationSelect({ table, value, onChange, typed, opened = false, ...shared }: Props) {
  const { t } = useTranslation("grid");
  const [text, setText] = useState(typed ?? "");
  const [chosen] = useDebouncedValue(text.trim(), 200);
  const { data: known } = useQuery(tableQuery(table));
  const { data: current } = useQuery({ ...recordQuery(table, value ?? ""), enabled: value !== null, retry: false });
  const fields = known?.fields ?? [];
  const currentName = current ? nameOf(current.record, fields) : undefined;
  const sought = /[\p{L}\p{N}]/u.test(chosen) && chosen !== currentName ? chosen : "";
  const { data: found } = useQuery({
    queryKey: ["records", table, "choice", sought],
    queryFn: async () =>
      (await got(
        api.POST("/tables/{tableId}/records/search", {
          params: { path: { tableId: table } },
          body: { limit: MOST, ...(sought && { text: sought }) },
        }),
      )).data as unknown as TableRecord[],
  });
  const choices = new Map((found ?? []).map((record) => [record.id, nameOf(record, fields)]));
  if (value !== null) choices.set(value, currentName ?? choices.get(value) ?? `${value.slice(0, 8)}…`);
  return (
    <Select
      {...shared}
      data={[...choices].map(([id, name]) => ({ value: id, label: name }))}
      value={value}
      onChange={onChange}
      onSearchChange={setText}
      {...(typed !== undefined && { defaultSearchValue: typed })}
      // The server has looked for the words already.
      filter={({ options }) => options}
      nothingFoundMessage={t("relation.none")}
      searchable
      clearable={!opened}
      autoFocus={opened}
      defaultDropdownOpened={opened}
    />
  );
}
