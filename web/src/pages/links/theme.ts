import { queryOptions } from "@tanstack/react-query";

import { api, got, type Schemas } from "@/api/client";

export type Theme = Schemas["ThemeAnswer"];
export type Palette = Schemas["PaletteAnswer"];

export const themeQuery = queryOptions({ queryKey: ["theme"], queryFn: () => got(api.GET("/theme")) });

const TOLD = ["updatedDate", "updatedBy"];

/** A theme as `PUT /theme` takes it: all of it but what is only told. */
export function asBody(theme: Theme): Schemas["ThemeBody"] {
  const set = Object.fromEntries(Object.entries(theme).filter(([name]) => !TOLD.includes(name)));
  // Without a name end users see the workspace's.
  return { ...set, name: theme.name.trim() || null } as unknown as Schemas["ThemeBody"];
}

/** The theme as it is now with what was changed of the one before; of what both changed, one's own. */
export function changedOf(before: Theme, mine: Theme, now: Theme): Theme {
  const changed = Object.entries(mine).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name as keyof Theme]));
  return { ...now, ...Object.fromEntries(changed) };
}

/** The contrast of two colours (`#rrggbb`) by WCAG 2.2, from 1 to 21. */
export function contrast(one: string, other: string): number {
  const [darker, lighter] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => linear(parseInt(colour.slice(at, at + 2), 16) / 255)) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function linear(part: number): number {
  return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
}

/** What has to be read on what, and the contrast that it needs. */
export const PAIRS = [
  ["text", "background", 4.5],
  ["text", "surface", 4.5],
  ["accentText", "accent", 4.5],
  ["accent", "background", 4.5],
  ["accent", "surface", 4.5],
] as const satisfies readonly (readonly [keyof Palette, keyof Palette, number])[];

export const COLOUR = /^#[0-9a-f]{6}$/i;
