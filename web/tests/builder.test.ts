import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { change, insert, move, remove, set, valueAt } from "@/builder/edits";
import { namesFor } from "@/builder/names";
import { sampleAt, scopeFor, withSample } from "@/builder/samples";
import { begun, changed, merged, redo, undo } from "@/builder/history";
import { parse, type Parsed, type Path } from "@/builder/parsed";
import { duplicateStep, everyStep, freeId, moveStep, outline, renameStep, unwrapStep, wrapSteps, type Nesting } from "@/builder/steps";

const NESTING: Nesting = new Map<string, Path[]>([
  ...["form", "upload", "consent", "message", "http", "set", "switch", "record", "check", "email", "wait", "event", "review", "workflow", "fail", "end"].map(
    (kind) => [kind, []] as [string, Path[]],
  ),
  ["parallel", [["branches", "*"]]],
  ["each", [["steps"]]],
]);

const EXAMPLES = join(import.meta.dirname, "../../examples");
const FILES = readdirSync(EXAMPLES, { recursive: true, encoding: "utf8" })
  .filter((name) => /^[^/]+\/[a-z-]+\.yaml$/.test(name) && !/tables|numbers/.test(name))
  .map((name) => [name, readFileSync(join(EXAMPLES, name), "utf8")] as const);

const TEXT = `# An onboarding.
name: company   # what it is called
title: {en: Company, pl: 'Firma'}

steps:
  # who they are
  - id: company
    form:
      title: "Your company"
      schema:
        type: object
        required: [number]   # more later
        properties:
          number: {type: string, pattern: "^[0-9]{10}$"}

  - id: risk
    set: {score: "\${steps.company.number == '1' ? 80 : 10}"}

  # --- decisions ---

  - id: route
    switch:
      - {when: steps.risk.score >= 70, goto: review}
      - {goto: welcome}
  - id: review
    review:
      title: >
        A manual
        check
      outcomes:
      - approve
      - reject
  - id: both
    parallel:
      branches:
        one:
          - id: first
            wait: {for: 1s}
        two:
          # slow
          - id: second
            wait:
              for: 2s
  - id: welcome
    email:
      to: \${steps.company.number}@example.com
      subject: Welcome
      body: |
        Hello,

        and welcome.
`;

describe("the text around a change stays as it was", () => {
  const text = (edit: (parsed: Parsed) => Parsed) => edit(parse(TEXT)).text;

  it.each<[string, Path, unknown, string, string]>([
    ["a plain text", ["steps", 5, "email", "subject"], "Hello there", "subject: Welcome", "subject: Hello there"],
    ["a text in quotes", ["steps", 0, "form", "title"], "Firm", '"Your company"', '"Firm"'],
    ["a text in single quotes", ["title", "pl"], "It's", "'Firma'", "'It''s'"],
    ["what would not be a text", ["steps", 5, "email", "subject"], "true", "subject: Welcome", 'subject: "true"'],
    ["a text of lines", ["steps", 5, "email", "body"], "Bye\n", "Hello,\n\n        and welcome.", "Bye"],
    ["a list in brackets", ["steps", 0, "form", "schema", "required"], ["number", "name"], "[number]", "[number, name]"],
    ["a value before a comment", ["name"], "firm", "name: company   #", "name: firm   #"],
  ])("when %s is set", (_, path, value, before, after) => {
    expect(text((parsed) => set(parsed, path, value))).toBe(TEXT.replace(before, after));
    // Quotes that became necessary stay.
    const back = text((parsed) => set(set(parsed, path, value), path, valueAt(parsed, path)));
    expect(back).toBe(value === "true" ? TEXT.replace(before, before.replace("Welcome", '"Welcome"')) : TEXT);
  });

  it("when a key is added and taken away", () => {
    const longer = set(parse(TEXT), ["steps", 1, "when"], "true", ["id", "title"]);
    expect(longer.text).toBe(TEXT.replace("- id: risk\n", '- id: risk\n    when: "true"\n'));
    expect(remove(longer, ["steps", 1, "when"]).text).toBe(TEXT);
  });

  it("when a step moves: its comment goes with it, headings and blank lines stay", () => {
    const moved = move(parse(TEXT), ["steps", 0], 1);
    expect(moved.text).toContain("steps:\n  - id: risk\n");
    expect(moved.text).toContain("\n\n  # who they are\n  - id: company\n");
    expect(move(moved, ["steps", 1], 0).text).toBe(TEXT);
  });

  it("when a step goes into a branch and back", () => {
    const inside = moveStep(parse(TEXT), ["steps", 1], ["steps", 4, "parallel", "branches", "two"], 1);
    expect(inside.text).toContain("              for: 2s\n          - id: risk\n            set: {score:");
    expect(outline(inside.value, NESTING).steps[3]?.lists[1]?.steps.map((step) => step.id)).toEqual(["second", "risk"]);
    const out = moveStep(inside, ["steps", 3, "parallel", "branches", "two", 1], ["steps"], 1);
    expect(out.text.replaceAll(/\n\n/g, "\n")).toBe(TEXT.replaceAll(/\n\n/g, "\n"));
  });

  it("when steps are grouped, and let out again", () => {
    const grouped = wrapSteps(parse(TEXT), ["steps"], 0, 2, "parallel", "together");
    expect(everyStep(outline(grouped.value, NESTING)).map((step) => step.id).slice(0, 3)).toEqual(["together", "company", "risk"]);
    expect(grouped.text).toContain("            required: [number]   # more later\n");
    const out = unwrapStep(grouped, outline(grouped.value, NESTING).steps[0]!);
    expect(out.value).toEqual(parse(TEXT).value);
    expect(out.text).toContain("required: [number]   # more later");
  });

  it("when a step gets another id: jumps and expressions follow", () => {
    const renamed = renameStep(parse(TEXT), ["steps", 0], "firm");
    expect(renamed.text).toBe(TEXT.replace("id: company", "id: firm").replaceAll("steps.company.", "steps.firm."));
    expect(renameStep(renamed, ["steps", 0], "company").text).toBe(TEXT);
    expect(renameStep(parse(TEXT), ["steps", 3], "check").text).toContain("goto: check");
  });

  it("when a step is doubled", () => {
    const twice = duplicateStep(parse(TEXT), outline(parse(TEXT).value, NESTING).steps[4]!, outline(parse(TEXT).value, NESTING));
    expect(everyStep(outline(twice.value, NESTING)).map((step) => step.id)).toEqual(
      ["company", "risk", "route", "review", "both", "first", "second", "both2", "first2", "second2", "welcome"],
    );
  });

  it("when it is JSON", () => {
    const json = JSON.stringify({ name: "a", steps: [{ id: "one", set: { a: 1 } }, { id: "two", wait: { for: "1s" } }] }, undefined, 2);
    const longer = insert(parse(json), ["steps"], 1, { id: "new", set: { b: "x" } });
    expect(JSON.parse(longer.text)).toEqual(longer.value);
    expect(remove(longer, ["steps", 1]).text).toBe(json);
    expect(JSON.parse(set(parse(json), ["title"], "A").text)).toHaveProperty("title", "A");
  });

  it("when lines end as on Windows", () => {
    const windows = TEXT.replaceAll("\n", "\r\n");
    const longer = insert(parse(windows), ["steps"], 2, { id: "new", set: { b: { c: [1, { d: 2 }] } } });
    expect(longer.text.replaceAll("\r\n", "")).not.toContain("\n");
    expect(remove(longer, ["steps", 2]).text).toBe(windows);
  });
});

it("becomes anything where an item was emptied", () => {
  const now = parse("steps:\n  - id: a\n    end: {}\n  - id: b\n");
  expect(change(now, ["steps", 0], { a: { b: {} } }).text).toBe("steps:\n  - a:\n      b: {}\n  - id: b\n");
  expect(set(parse("steps:\n  - {} # why\n  - []\n"), ["steps", 0, "a"], { b: [] }).text).toBe("steps:\n  - a: # why\n      b: []\n  - []\n");
  expect(insert(parse("steps:\n  - {}\n  - []\n"), ["steps", 1], 0, { id: "c" }).text).toBe("steps:\n  - {}\n  - - id: c\n");
});

it("keeps the comment at the end of a line, however many lines come in its place", () => {
  const now = parse("steps:\n  - id: a\n    onError: continue   # never mind\n  - old # mine\n");
  const lines = set(now, ["steps", 0, "onError"], "line\nline\n");
  expect(lines.text).toBe("steps:\n  - id: a\n    onError: |   # never mind\n      line\n      line\n  - old # mine\n");
  expect(set(now, ["steps", 0, "onError"], { id: "x", goto: ["a\nb"] }).text).toContain("onError:   # never mind\n      id: x\n");
  expect(set(now, ["steps", 1], "line\nline\n").text).toContain("  - | # mine\n    line\n    line\n");
  const none = parse("steps: [] # none yet\n");
  const one = insert(none, ["steps"], 0, { id: "a", set: { t: "b\nc\n" } });
  expect(one.text).toContain("steps: # none yet\n  - id: a\n");
  expect(remove(one, ["steps", 0]).text).toBe(none.text);
});

it("takes a text in lines away with the spaces at its end", () => {
  const now = parse("name: x\nset:\n  a: |-\n    one\n    x \n  b: 1\n");
  expect(set(now, ["set", "a"], "one\ntwo").text).toBe("name: x\nset:\n  a: |-\n    one\n    two\n  b: 1\n");
});

it("begins with nothing", () => {
  let now = parse("name: x\nsteps: []\n");
  now = insert(now, ["steps"], 0, { id: "a", message: { title: "Hello", text: "There\nyou are\n" } });
  expect(now.text).toBe("name: x\nsteps:\n  - id: a\n    message:\n      title: Hello\n      text: |\n        There\n        you are\n");
  expect(remove(now, ["steps", 0]).text).toBe("name: x\nsteps: []\n");
});

/** Every path of a value that is a part of it. */
function paths(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([name, one]) => paths(one, [...path, Array.isArray(value) ? Number(name) : name]))];
}

const words = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 30 }),
  fc.constantFrom("true", "null", "012", "1.5", "a: b", "# no", "- x", "${steps.a.b}", "line\nline\n", "  x", "x ", "é\u0085", "[", "yes", "@a", "~", "a\tb", "1e3", "'", '"', "a #b"),
);
const values = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: "small" }, words, fc.integer(), fc.boolean(), fc.constant(null), fc.array(tie("value"), { maxLength: 3 }), fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), tie("value"), { maxKeys: 3 })),
})).value;

describe.each(FILES)("%s", (_, text) => {
  const parsed = parse(text);
  const every = paths(parsed.value).filter((path) => path.length > 0);
  const items = every.filter((path) => typeof path.at(-1) === "number");

  it("is read as it is", () => expect(parsed.readable).toBe(true));

  it("takes any value at any place, says it, and comes back to the same bytes when it is undone", () => {
    fc.assert(
      fc.property(fc.constantFrom(...every), values, (path, value) => {
        const after = set(parsed, path, value);
        expect(valueAt(after, path)).toEqual(value);
        const history = changed(begun(text), after.text);
        expect(undo(history).text).toBe(text);
        expect(redo(undo(history)).text).toBe(after.text);
      }),
      { numRuns: 60 },
    );
  });

  it("is the same, byte for byte, when what was put in is taken out", () => {
    fc.assert(
      fc.property(fc.constantFrom(...items), values, (path, value) => {
        const [list, place] = [path.slice(0, -1), Number(path.at(-1))];
        expect(remove(insert(parsed, list, place, value), path).text).toBe(text);
      }),
      { numRuns: 30 },
    );
  });

  it("is the same, byte for byte, when what was moved is moved back", () => {
    fc.assert(
      fc.property(fc.constantFrom(...items), fc.nat(20), (path, number) => {
        const size = (valueAt(parsed, path.slice(0, -1)) as unknown[]).length;
        const to = number % size;
        const moved = move(parsed, path, to);
        expect(move(moved, [...path.slice(0, -1), to], Number(path.at(-1))).text).toBe(text);
      }),
      { numRuns: 30 },
    );
  });

  it("changes to any other value of the same shape, in as many changes as it takes", () => {
    fc.assert(
      fc.property(fc.constantFrom(...every), values, (path, value) => {
        const after = change(parsed, path, value);
        expect(valueAt(after, path)).toEqual(value);
        expect(change(after, path, valueAt(parsed, path)).value).toEqual(parsed.value);
      }),
      { numRuns: 15 },
    );
  });
});

it("gives ids that are free", () => expect(freeId(outline(parse(TEXT).value, NESTING), "company")).toBe("company2"));

describe("two changes of one text", () => {
  const parts = fc.tuple(fc.string(), fc.string(), fc.string({ minLength: 1 }), fc.string(), fc.string());

  it("are both in it where they are apart, whoever comes second", () => {
    fc.assert(
      fc.property(parts, fc.string(), fc.string(), ([head, left, middle, right, tail], one, other) => {
        const base = head + left + middle + right + tail;
        const mine = head + one + middle + right + tail;
        const theirs = head + left + middle + other + tail;
        const both = merged(base, mine, theirs);
        expect(merged(base, theirs, mine)).toBe(both);
        if (both !== undefined && mine !== base && theirs !== base) expect([both.length - base.length]).toEqual([mine.length - base.length + theirs.length - base.length]);
      }),
    );
    expect(merged("a: 1\nb: 2\n", "a: 3\nb: 2\n", "a: 1\nb: 4\n")).toBe("a: 3\nb: 4\n");
  });

  it("are left to people where they touch", () => {
    expect(merged("a: 1\n", "a: 2\n", "a: 3\n")).toBeUndefined();
  });
});

describe("sample values", () => {
  it.each(FILES)("are there for all that completion offers of forms and values in %s", (_, text) => {
    const { value } = parse(text);
    const list = outline(value, NESTING);
    const kinds = new Map(everyStep(list).map((step) => [step.id, step.kind]));
    const offered = namesFor(value, list, undefined, []).filter(({ name }) => ["form", "set"].includes(kinds.get(name.split(".")[1]!) ?? "") && name.startsWith("steps."));
    const scope = scopeFor(offered.map(({ name }) => name).join(" "), value, list, undefined, []);
    for (const { name } of offered) expect(sampleAt(scope, name), name).toBeDefined();
  });

  it("give way to a value that somebody chose, and to it alone", () => {
    const scope = withSample({ steps: { risk: { score: 1, reason: "old" } } }, "steps.risk.score", 80);
    expect(scope).toEqual({ steps: { risk: { score: 80, reason: "old" } } });
  });
});
