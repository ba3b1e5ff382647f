import { describe, expect, it } from "vitest";

import { asCurl } from "@/api/curl";
import { localized } from "@/components/localized";
import { dayBegins, dayEnds, dayOf, duration, relativeTime, shortTime } from "@/components/times";
import { matches } from "@/live/stream";

describe("a call as curl", () => {
  it("quotes what a shell would take for its own, and holds no credentials", () => {
    const line = asCurl({ method: "POST", path: "/x", query: { a: "1 2", b: undefined }, body: { it: "it's; $(rm)" } }, "https://p.test");
    expect(line).toContain(`curl -X POST 'https://p.test/x?a=1+2'`);
    expect(line).toContain(String.raw`--data-raw '{"it":"it'\''s; $(rm)"}'`);
    expect(line).toContain("Bearer $PASSERELLE_TOKEN");
  });
});

describe("times", () => {
  const now = new Date("2026-11-29T12:00:00Z");

  it("shows today's by the hour in the person's zone", () => {
    expect(shortTime(new Date("2026-11-29T08:05:00Z"), now, "en", "Europe/Warsaw")).toBe("09:05");
    expect(shortTime(new Date("2026-11-28T23:30:00Z"), now, "en", "Europe/Warsaw")).toBe("00:30");
    expect(shortTime(new Date("2025-11-28T23:30:00Z"), now, "en", "UTC")).toContain("2025");
  });

  it("knows where a day begins and ends in the person's zone, on days on which clocks change as well", () => {
    expect(dayOf(new Date("2026-11-28T23:30:00Z"), "Europe/Warsaw")).toBe("2026-11-29");
    expect(dayBegins("2026-11-29", "Europe/Warsaw").toISOString()).toBe("2026-11-28T23:00:00.000Z");
    expect(dayBegins("2026-11-29", "America/New_York").toISOString()).toBe("2026-11-29T05:00:00.000Z");
    expect(dayBegins("2026-03-29", "Europe/Warsaw").toISOString()).toBe("2026-03-28T23:00:00.000Z");
    expect(dayEnds("2026-03-29", "Europe/Warsaw").toISOString()).toBe("2026-03-29T22:00:00.000Z");
    expect(dayBegins("2026-10-25", "Pacific/Auckland").toISOString()).toBe("2026-10-24T11:00:00.000Z");
    expect(dayEnds("2026-12-31", "UTC").toISOString()).toBe("2027-01-01T00:00:00.000Z");
  });

  it("says how long ago in the person's language", () => {
    expect(relativeTime(new Date("2026-11-29T09:00:00Z"), now, "en")).toBe("3 hr. ago");
    expect(relativeTime(new Date("2026-11-30T12:00:00Z"), now, "pl")).toBe("jutro");
  });

  it.each([
    [12, "12 ms"],
    [4_230, "4.2 s"],
    [200_000, "3 min 20 s"],
    [7_500_000, "2 h 5 min"],
    [3 * 86_400_000, "3 d"],
  ])("says how long %d ms are", (milliseconds, text) => expect(duration(milliseconds)).toBe(text));
});

it("takes the text in the person's language, else in English, else in any", () => {
  expect(localized({ en: "Name", pl: "Nazwa" }, "pl")).toBe("Nazwa");
  expect(localized({ en: "Name" }, "pl")).toBe("Name");
  expect(localized({ de: "Name" }, "pl")).toBe("Name");
  expect(localized(null, "pl")).toBe("");
});

it("hears of the events that it asked for", () => {
  expect(matches("workflow.*", "workflow.failed")).toBe(true);
  expect(matches("workflow.*", "workflows")).toBe(false);
  expect(matches("link.sent", "link.sent")).toBe(true);
});
