import { describe, expect, it } from "vitest";

import { daysOf, lasting, rulesWith } from "./retention";

const kept = (kind: string, lasts: string | null, own: boolean) => ({ kind, lasts, own, since: "", setting: null, usual: null, least: "1d", archive: kind === "events" });

describe("lengths of time", () => {
  it("are read and written", () => {
    expect(daysOf("30d")).toBe(30);
    expect(daysOf("36h")).toBe(2);
    expect(daysOf("soon")).toBe(0);
    expect(lasting("30d", "en")).toBe("30 days");
    expect(lasting("soon", "en")).toBe("soon");
  });
});

describe("the rules of a workspace", () => {
  it("keep what is said of other kinds, and let go what the installation says", () => {
    const all = [kept("events", "60d", true), kept("audit", null, true), kept("drafts", "90d", false)];
    expect(rulesWith(all, "executions", "400d", true)).toEqual({ events: "60d", audit: "ever", executions: "400d", archive: ["executions", "events"] });
    expect(rulesWith(all, "events", null, false)).toEqual({ events: null, audit: "ever", archive: [] });
  });
});
