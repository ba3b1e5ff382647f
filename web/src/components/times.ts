/** Times as people read them, in their own zone. */
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The day of a moment in a zone, as addresses have it: `2026-03-29`. Without a zone it is the browser's. */
export function dayOf(at: Date, timeZone?: string): string {
  return new Intl.DateTimeFormat("sv", { ...(timeZone ? { timeZone } : {}), dateStyle: "short" }).format(at);
}

/** The moment at which a day begins in a zone. */
export function dayBegins(day: string, timeZone?: string): Date {
  if (!timeZone) return new Date(`${day}T00:00`);
  const clock = new Intl.DateTimeFormat("sv", { timeZone, dateStyle: "short", timeStyle: "medium" });
  const ahead = (at: number) => Date.parse(`${clock.format(at).replace(" ", "T")}Z`) - at;
  const midnight = Date.parse(`${day}T00:00Z`);
  // What the zone is ahead of UTC at its own midnight; at UTC's it may be another, on the day on which clocks change.
  return new Date(midnight - ahead(midnight - ahead(midnight)));
}

/** The moment at which a day ends in a zone: the next one begins. */
export function dayEnds(day: string, timeZone?: string): Date {
  return dayBegins(new Date(Date.parse(`${day}T00:00Z`) + DAY).toISOString().slice(0, 10), timeZone);
}

/** Today's as an hour, this year's as a day and hour, others with the year. */
export function shortTime(at: Date, now: Date, language: string, timeZone?: string): string {
  const zone = timeZone ? { timeZone } : {};
  const day = new Intl.DateTimeFormat("sv", { ...zone, dateStyle: "short" });
  const time = { hour: "2-digit", minute: "2-digit", hour12: false } as const;
  if (day.format(at) === day.format(now)) return new Intl.DateTimeFormat(language, { ...zone, ...time }).format(at);
  const year = new Intl.DateTimeFormat("en", { ...zone, year: "numeric" });
  const date =
    year.format(at) === year.format(now)
      ? ({ day: "numeric", month: "short", ...time } as const)
      : ({ day: "numeric", month: "short", year: "numeric" } as const);
  return new Intl.DateTimeFormat(language, { ...zone, ...date }).format(at);
}

/** To the second, with the zone. */
export function exactTime(at: Date, language: string, timeZone?: string): string {
  return new Intl.DateTimeFormat(language, {
    ...(timeZone ? { timeZone } : {}),
    dateStyle: "full",
    timeStyle: "long",
  }).format(at);
}

/** How long ago, or how long from now: `3 hr. ago`. */
export function relativeTime(at: Date, now: Date, language: string): string {
  const left = at.getTime() - now.getTime();
  const format = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" });
  const size = Math.abs(left);
  if (size < MINUTE) return format.format(Math.round(left / 1000), "second");
  if (size < HOUR) return format.format(Math.round(left / MINUTE), "minute");
  if (size < DAY) return format.format(Math.round(left / HOUR), "hour");
  return format.format(Math.round(left / DAY), "day");
}

/** How long something took: `340 ms`, `4.2 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function duration(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 10_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  if (milliseconds < MINUTE) return `${Math.round(milliseconds / 1000)} s`;
  if (milliseconds < HOUR) return pair(milliseconds, MINUTE, "min", 1_000, "s");
  if (milliseconds < DAY) return pair(milliseconds, HOUR, "h", MINUTE, "min");
  return pair(milliseconds, DAY, "d", HOUR, "h");
}

function pair(all: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.floor((all % large) / small);
  return `${Math.floor(all / large)} ${largeName}${rest ? ` ${rest} ${smallName}` : ""}`;
}
