/** What the command palette finds. */
import { IconDatabase, IconMoon, IconPlayerPlay, IconSun, type TablerIcon } from "@tabler/icons-react";
import { useMantineColorScheme } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { shownTo } from "@/pages/settings/sections";
import { permissionsQuery, useMay } from "./auth";
import { DESTINATIONS, DOCS } from "./navigation";

export interface PaletteEntry {
  id: string;
  icon: TablerIcon;
  text: string;
  hint?: string;
  run: () => void;
}

const MOST_TABLES = 8;
const OF_EACH = 3;
const WORDS = /[\p{L}\p{N}].*[\p{L}\p{N}]/u;
const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Entries for what is sought, the most likely first. */
export function usePaletteEntries(sought: string): PaletteEntry[] {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { setColorScheme } = useMantineColorScheme();
  const executions = useExecutionEntries(sought);
  const records = useRecordEntries(sought);
  const pages: PaletteEntry[] = DESTINATIONS.map(({ to, text, icon, key }) => ({
    id: to,
    icon,
    text: t(text),
    hint: `g ${key}`,
    run: () => void navigate({ to }),
  }));
  const settings = useSettingsEntries();
  const actions: PaletteEntry[] = [
    { id: "docs", icon: DOCS.icon, text: t(DOCS.text), run: () => location.assign(DOCS.href) },
    { id: "dark", icon: IconMoon, text: t("palette.dark"), run: () => setColorScheme("dark") },
    { id: "light", icon: IconSun, text: t("palette.light"), run: () => setColorScheme("light") },
  ];
  const wanted = plain(sought);
  return [...executions, ...records, ...[...pages, ...settings, ...actions].filter((entry) => plain(entry.text).includes(wanted))];
}

/** The parts of the settings that this person has something to see in. */
function useSettingsEntries(): PaletteEntry[] {
  const { t } = useTranslation();
  const { t: named, ready } = useTranslation(["settings", "admin"], { useSuspense: false });
  const navigate = useNavigate();
  const { data } = useQuery(permissionsQuery);
  if (!ready || !data) return [];
  return shownTo(data.permissions).flatMap(({ sections }) =>
    sections.map(({ to, text, icon }) => ({
      id: to,
      icon,
      text: named(text),
      hint: t("nav.settings"),
      run: () => void navigate({ to }),
    })),
  );
}

/** Records that have these words, a few of each of the first tables. */
function useRecordEntries(sought: string): PaletteEntry[] {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const may = useMay("can_read_data");
  const { data } = useQuery({
    queryKey: ["palette", "records", sought],
    queryFn: async () => {
      const { data: tables } = await got(api.GET("/tables", { params: { query: { limit: MOST_TABLES } } }));
      const search = async (table: string) =>
        (await got(api.POST("/tables/{tableId}/records/search", { params: { path: { tableId: table } }, body: { text: sought, limit: OF_EACH } }))).data.map((record) => ({ table, record }));
      const found = await Promise.allSettled(tables.map(({ name }) => search(name)));
      return found.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
    },
    enabled: may && WORDS.test(sought) && !ID.test(sought),
    staleTime: 10_000,
    retry: false,
  });
  return (data ?? []).map(({ table, record }) => ({
    id: record.id,
    icon: IconDatabase,
    text: firstText(record) ?? record.id,
    hint: t("palette.record", { table }),
    run: () => void navigate({ to: "/records/$table/$recordId", params: { table, recordId: record.id } }),
  }));
}

const SERVERS = new Set(["id", "createdAt", "updatedAt"]);

/** What people call a record whose table is not at hand. */
function firstText(record: Record<string, unknown>): string | undefined {
  const found = Object.entries(record).find(([name, value]) => !SERVERS.has(name) && typeof value === "string" && value.trim() !== "");
  return typeof found?.[1] === "string" ? found[1] : undefined;
}

function useExecutionEntries(sought: string): PaletteEntry[] {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const isId = ID.test(sought);
  const { data } = useQuery({
    queryKey: ["palette", "execution", sought],
    queryFn: () => got(api.GET("/workflows/{workflowId}", { params: { path: { workflowId: sought } } })),
    enabled: isId,
    retry: false,
  });
  if (!isId || !data || !("name" in data)) return [];
  const run = () => void navigate({ to: "/executions/$executionId", params: { executionId: data.id } });
  return [{ id: data.id, icon: IconPlayerPlay, text: `${data.name} · ${data.id}`, hint: t("palette.execution"), run }];
}

function plain(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").replaceAll("ł", "l").toLowerCase();
}
