import { describe, expect, it } from "vitest";

import { between, moved, sizeOf } from "@/pages/records/grid/area";
import { Looks, read, same, written } from "@/pages/records/grid/cells";
import { columnsOf, reordered } from "@/pages/records/grid/layout";
import { changesOf, planPaste, sizeOfPaste } from "@/pages/records/grid/plan";
import { asItWas, fromSheet, madeSafe, toSheet } from "@/pages/records/grid/sheet";
import { asBody, readSearch, withoutIndex } from "@/pages/records/search";
import type { Field, TableRecord } from "@/pages/records/types";

const field = (type: string, more: Partial<Field> = {}): Field => ({ name: type, type, ...more });

describe("a text that was typed or pasted", () => {
  it.each([
    ["number", "1 234,56", 1234.56],
    ["number", "1,234.56", 1234.56],
    ["number", "1.234.567,8", 1234567.8],
    ["number", "12,50 zł", 12.5],
    ["number", "-0.5", -0.5],
    ["integer", "1,234,567", 1234567],
    ["date", "31.03.2026", "2026-03-31"],
    ["date", "2026-3-1", "2026-03-01"],
    ["checkbox", "Tak", true],
    ["checkbox", "no", false],
    ["text", " kept as it is ", " kept as it is "],
    ["email", " a@b.example ", "a@b.example"],
    ["json", '{"a": 1}', { a: 1 }],
    ["number", "", null],
  ])("is a value of %s: %s", (type, text, value) => expect(read(field(type), text)).toEqual({ value }));

  it.each([
    ["number", "12a"],
    ["integer", "1.5"],
    ["date", "03/31/2026"],
    ["date", "2026-02-30"],
    ["checkbox", "perhaps"],
    ["relation", "Acme"],
    ["json", "{"],
  ])("is none of %s: %s", (type, text) => expect(read(field(type), text)).toHaveProperty("problem"));

  it("names an option by its value, or by its title in any language", () => {
    const choice = field("singleSelect", { options: [{ value: "new", title: { en: "New", pl: "Nowa" } }, { value: "old" }] });
    for (const text of ["new", "NEW", "nowa"]) expect(read(choice, text)).toEqual({ value: "new" });
    expect(read(choice, "none")).toEqual({ problem: "option" });
    const several = field("multiselect", { options: [{ value: "a" }, { value: "b" }] });
    expect(read(several, "a; b, a")).toEqual({ value: ["a", "b"] });
  });

  it("comes back from what is copied", () => {
    for (const [type, value] of [["number", 1.5], ["checkbox", true], ["json", { a: [1] }], ["text", "a\tb"], ["date", "2026-01-05"]] as const) {
      expect(read(field(type), written(field(type), value))).toEqual({ value });
    }
  });
});

it("takes none, an empty text and an empty list for the same", () => {
  expect(same(null, "")).toBe(true);
  expect(same([], undefined)).toBe(true);
  expect(same(0, null)).toBe(false);
  expect(same(["a"], ["a"])).toBe(true);
});

it("shows values in the person's language, and texts in one line", () => {
  const looks = new Looks("pl", "Europe/Warsaw", "Tak", "Nie", (count) => `${count} pliki`);
  expect(looks.of(field("number"), 1234567.5)).toMatch(/^1.?234.?567,5$/);
  expect(looks.of(field("checkbox"), false)).toBe("Nie");
  expect(looks.of(field("datetime"), "2026-07-01T22:30:00Z")).toContain("00:30");
  expect(looks.of(field("text"), "one\ntwo")).toBe("one …");
  expect(looks.of(field("date"), "no date")).toBe("no date");
});

describe("a block of cells", () => {
  it("has tabs, line breaks and quotes inside of quoted cells", () => {
    expect(fromSheet('a\t"b\tc\nd ""e"""\r\n1\t2\r\n')).toEqual([["a", 'b\tc\nd "e"'], ["1", "2"]]);
    expect(fromSheet("")).toEqual([[""]]);
    expect(fromSheet('5" pipe\t6')).toEqual([['5" pipe', "6"]]);
    expect(fromSheet('"open\tend')).toEqual([['"open', "end"]]);
    expect(fromSheet("a\n\nb")).toEqual([["a"], [""], ["b"]]);
  });

  it("comes back as it was", () => {
    const cells = [["a\tb", 'say "no"'], ["", "x\ny"]];
    expect(fromSheet(toSheet(cells))).toEqual(cells);
  });

  it("holds no formula, and comes back as it was", () => {
    for (const text of ["=1+1", "+48", "'=x", "@a", "plain", "'plain"]) {
      expect(madeSafe(text)).not.toMatch(/^[=+\-@]/);
      expect(asItWas(madeSafe(text))).toBe(text);
    }
  });

  it("fills what is chosen where it fits into it", () => {
    expect(sizeOfPaste([["a"]], { rows: 4, columns: 2 })).toEqual({ rows: 4, columns: 2 });
    expect(sizeOfPaste([["a", "b"], ["c", "d"]], { rows: 1, columns: 1 })).toEqual({ rows: 2, columns: 2 });
    expect(sizeOfPaste([["a"], ["b"]], { rows: 4, columns: 1 })).toEqual({ rows: 4, columns: 1 });
  });

  it("becomes changes of records, new ones behind the last, and names what is no value", () => {
    const record = { id: "1", version: 3, name: "A", age: 1 } as unknown as TableRecord;
    const fields: Field[] = [{ name: "name", type: "text" }, { name: "age", type: "integer" }];
    const plan = planPaste([["A", "2"], ["B", "many"]], fields, [record, undefined], (one, name) => one[name]);
    expect(plan[0]?.cells.map(({ before, after }) => [before, after])).toEqual([[1, 2]]);
    expect(plan[1]?.cells.map(({ problem }) => problem)).toEqual([undefined, "integer"]);
    expect(changesOf(plan)).toEqual([
      { id: "1", version: 3, values: { age: 2 } },
      { do: "create", values: { name: "B" } },
    ]);
  });
});

it("moves as spreadsheets do, and never out of the grid", () => {
  const size = { rows: 100, columns: 5, page: 20 };
  expect(moved({ row: 0, column: 1 }, "ArrowUp", false, size)).toEqual({ row: -1, column: 1 });
  expect(moved({ row: 95, column: 1 }, "PageDown", false, size)).toEqual({ row: 99, column: 1 });
  expect(moved({ row: 5, column: 3 }, "Home", false, size)).toEqual({ row: 5, column: 0 });
  expect(moved({ row: 5, column: 3 }, "End", true, size)).toEqual({ row: 99, column: 4 });
  expect(moved({ row: 5, column: 3 }, "x", false, size)).toBeUndefined();
  expect(sizeOf(between({ row: 3, column: 2 }, { row: 1, column: 4 }))).toBe(9);
});

it("lays columns out as the address says, and as the table has them without", () => {
  const fields = [field("text"), field("number"), field("date")];
  expect(columnsOf(fields, {}).map((column) => column.field.name)).toEqual(["text", "number", "date"]);
  const [first, second] = columnsOf(fields, { columns: ["date", "gone", "text"], widths: { date: 5 } });
  expect([first?.field.name, first?.width, second?.field.name, second?.start]).toEqual(["date", 60, "text", 116]);
  expect(reordered(["a", "b", "c"], "c", 0)).toEqual(["c", "a", "b"]);
});

it("takes of an address only what a list of records knows", () => {
  const given = { text: "a", sort: 7, kind: "board", by: "status", columns: ["a", 1, "a"], widths: { a: 90, b: "x" }, where: [{ field: "age", op: "gte", value: "3" }, { op: "drop" }] };
  const search = readSearch(given);
  expect(search).toEqual({ text: "a", kind: "board", by: "status", columns: ["a"], widths: { a: 90 }, where: [{ field: "age", op: "gte", value: "3" }] });
  expect(asBody(search, [field("integer", { name: "age" })])).toEqual({ text: "a", filter: { and: [{ field: "age", op: "gte", value: 3 }] } });
});

describe("a search that no index answers", () => {
  const fields = [field("text"), field("integer", { indexed: true, index: "ready" }), field("email", { unique: true, index: "ready" }), field("date", { indexed: true, index: "building" }), field("json")];
  const lacking = (search: Parameters<typeof withoutIndex>[0]) => withoutIndex(search, fields).map(({ name }) => name);

  it("names what is sorted and compared by, as far as an index would help", () => {
    expect(lacking({ sort: "-text" })).toEqual(["text"]);
    expect(lacking({ sort: "date" })).toEqual(["date"]);
    expect(lacking({ where: [{ field: "text", op: "eq", value: "x" }] })).toEqual(["text"]);
    expect(lacking({ where: [{ field: "text", op: "contains", value: "x" }] })).toEqual([]);
    expect(lacking({ where: [{ field: "text", op: "eq", value: "" }] })).toEqual([]);
    expect(lacking({ where: [{ field: "json", op: "isEmpty", value: "" }] })).toEqual([]);
  });

  it("knows that the index of a unique field finds records and orders none", () => {
    expect(lacking({ where: [{ field: "email", op: "eq", value: "x" }] })).toEqual([]);
    expect(lacking({ sort: "email" })).toEqual(["email"]);
    expect(lacking({ sort: "integer" })).toEqual([]);
  });
});
