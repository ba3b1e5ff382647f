import type { useTranslation } from "react-i18next";

import type { Schemas } from "@/api/client";

export const MANAGES_RETENTION = "can_manage_retention";
export const RETENTION_KEY = ["settings", "retention"] as const;
export const HOLDS_KEY = ["settings", "holds"] as const;

/** What a workspace says for good. */
export const EVER = "ever";

type Kept = Schemas["KeptAnswer"];
type Translate = ReturnType<typeof useTranslation<"admin">>["t"];
const UNITS = { d: "day", h: "hour", m: "minute", s: "second", w: "week" } as const;
const DAYS = { d: 1, h: 1 / 24, m: 1 / 1440, s: 1 / 86_400, w: 7 } as const;

/** `30d` as `30 days`. */
export function lasting(text: string, language: string): string {
  const parts = [...text.matchAll(/(\d+)([dhmsw])/g)].map(([, count, unit]) => {
    const options = { style: "unit", unit: UNITS[unit as keyof typeof UNITS], unitDisplay: "long" } as const;
    return new Intl.NumberFormat(language, options).format(Number(count));
  });
  return parts.length > 0 ? parts.join(" ") : text;
}

/** How long something is kept, in words. */
export function keptFor(lasts: string | null, t: Translate, language: string): string {
  return lasts === null ? t("retention.forGood") : lasting(lasts, language);
}

/** `30d` as a number of days, rounded up. */
export function daysOf(text: string): number {
  const found = /^([\d.]+)([dhmsw])$/.exec(text);
  return found ? Math.ceil(Number(found[1]) * DAYS[found[2] as keyof typeof DAYS]) : 0;
}

/** What can be written to the store of files before it is removed. */
export const ARCHIVED = ["executions", "events", "deliveries"] as const;
type Archived = (typeof ARCHIVED)[number];

/** What the workspace says itself, with another word on one kind: null as the installation says. */
export function rulesWith(all: readonly Kept[], kind: string, keep: string | null, archive: boolean): Schemas["RetentionBody"] {
  const own = all.filter((one) => one.own).map((one) => [one.kind, one.lasts ?? EVER]);
  const chosen = new Set(all.filter((one) => one.archive).map((one) => one.kind));
  if (archive) chosen.add(kind);
  else chosen.delete(kind);
  const archived: Archived[] = ARCHIVED.filter((one) => chosen.has(one));
  return { ...Object.fromEntries(own), [kind]: keep, archive: archived } as Schemas["RetentionBody"];
}
