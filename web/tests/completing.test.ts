import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { explainedAt, offersAt, type Known } from "@/builder/completing";
import type { Schema } from "@/builder/schema";

const ROOT = JSON.parse(readFileSync(join(import.meta.dirname, "../../docs/reference/definition.json"), "utf8")) as Schema;
const KNOWN: Known = {
  root: ROOT,
  names: [
    { name: "steps.company", what: "form" },
    { name: "steps.company.number", what: "string" },
  ],
  steps: ["company", "done"],
  tables: ["companies"],
};

/** What is offered where `|` stands. */
function offered(text: string, asked = true): string[] | undefined {
  const offset = text.indexOf("|");
  return offersAt(text.replace("|", ""), offset, KNOWN, asked)?.offers.map((one) => one.label);
}

const FORM = `name: opening
steps:
  - id: company
    form:
      title: Company
      schema:
        type: object
        required: [number]
        properties:
          number: {type: string, title: Number}
`;

describe("completion by the schema", () => {
  it("offers the keys of the definition, but for those that stand there", () => {
    const keys = offered("name: opening\nti|\nsteps: []\n");
    expect(keys).toContain("title");
    expect(keys).not.toContain("name");
  });

  it("offers every key of a step, and one kind only", () => {
    expect(offered("name: a\nsteps:\n  - id: one\n    |\n")).toEqual(expect.arrayContaining(["when", "retry", "form", "http"]));
    const more = offered("name: a\nsteps:\n  - id: one\n    set: {a: 1}\n    |\n  - id: two\n    wait: {for: 1h}\n");
    expect(more).toContain("when");
    expect(more).not.toContain("http");
  });

  it.each([
    ["a key of a field, in lines", `${FORM}          email:\n            type: string\n            for|\n`, "format"],
    ["a key of a field, in brackets", `${FORM}          email: {type: string, for|}\n`, "format"],
    ["a key of a field of a group", `${FORM}          owner:\n            type: object\n            properties:\n              name:\n                type: string\n                vis|\n`, "visibleWhen"],
    ["a key of an entry's field", `${FORM}          owners: {type: array, items: {type: object, properties: {name: {pi|}}}}\n`, "pii"],
    ["a key of an option", `${FORM}          country:\n            type: string\n            oneOf:\n              - const: PL\n                ti|\n`, "title"],
    ["a rule of a field", `${FORM}          age: {type: integer, min|}\n`, "minimum"],
    ["retry", "name: a\nsteps:\n  - id: one\n    retry:\n      att|\n", "attempts"],
    ["what a check takes", "name: a\nsteps:\n  - id: one\n    check:\n      name: company-number\n      with:\n        ty|\n", "type"],
    ["what a check takes, in brackets", "name: a\nsteps:\n  - id: one\n    check: {name: sanctions, with: {thr|}}\n", "threshold"],
    ["retry, in brackets", "name: a\nsteps:\n  - id: one\n    retry: {attempts: 3, fac|}\n", "factor"],
    ["the body of an each", "name: a\nsteps:\n  - id: all\n    each:\n      in: [1]\n      steps:\n        - id: one\n          ht|\n", "http"],
    ["each itself", "name: a\nsteps:\n  - id: all\n    each:\n      in: [1]\n      at|\n", "atOnce"],
    ["a branch of a parallel", "name: a\nsteps:\n  - id: both\n    parallel:\n      branches:\n        left:\n          - id: one\n            em|\n", "email"],
    ["a case of a switch", "name: a\nsteps:\n  - id: way\n    switch:\n      - go|\n", "goto"],
    ["a jump after a failure", "name: a\nsteps:\n  - id: one\n    onError: {go|}\n    set: {a: 1}\n", "goto"],
    ["a parameter", "name: a\nparameters:\n  number:\n    req|\nsteps: []\n", "required"],
  ])("offers the keys of %s", (_, text, wanted) => {
    expect(offered(text, false)).toContain(wanted);
  });

  it.each([
    ["a method", "name: a\nsteps:\n  - id: one\n    http: {method: P|}\n", ["POST", "PUT", "PATCH"]],
    ["a format", `${FORM}          email: {type: string, format: |}\n`, ["email", "iban"]],
    ["a type of a group's field", `${FORM}          owner:\n            type: object\n            properties:\n              age:\n                type: |\n`, ["integer"]],
    ["whether", "name: a\nsteps:\n  - id: one\n    background: |\n    set: {a: 1}\n", ["true", "false"]],
    ["a jump", "name: a\nsteps:\n  - id: way\n    switch:\n      - goto: |\n", ["company", "done"]],
    ["a table", "name: a\nsteps:\n  - id: one\n    record:\n      table: |\n", ["companies"]],
    ["a failure", "name: a\nsteps:\n  - id: one\n    onError: |\n    set: {a: 1}\n", ["fail", "continue"]],
    ["a required field, in brackets", FORM.replace("[number]", "[nu|]"), ["number"]],
    ["a required field, in lines", FORM.replace("[number]", "\n          - nu|"), ["number"]],
    ["how an e-mail is written", "name: a\nsteps:\n  - id: one\n    email:\n      format: m|\n", ["markdown"]],
  ])("offers the values of %s", (_, text, wanted) => {
    expect(offered(text)).toEqual(expect.arrayContaining(wanted));
  });

  it("offers names in expressions, whole and within texts", () => {
    expect(offered("name: a\nsteps:\n  - id: one\n    when: steps.company.|\n")).toEqual(["steps.company.number"]);
    expect(offered('name: a\nsteps:\n  - id: one\n    set: {a: "No. ${steps.c|}"}\n')).toContain("steps.company");
  });

  it("says nothing where the schema does not know, or nobody asked", () => {
    expect(offered("name: a\nsteps:\n  - id: one\n    set: {a|: 1}\n")).toBeUndefined();
    expect(offered("name: a\nsteps:\n  - id: one\n    |\n", false)).toBeUndefined();
    expect(offered("name: a  # wh|\n")).toBeUndefined();
  });

  it("keeps what stands behind the caret", () => {
    const text = "name: a\nsteps:\n  - id: one\n    retr: {attempts: 3}\n    set: {a: 1}\n";
    const found = offersAt(text, text.indexOf("retr") + 4, KNOWN);
    expect(found?.offers.find((one) => one.label === "retry")?.apply).toBe("retry");
    expect(found?.offers.map((one) => one.label)).not.toContain("http");
  });
});

describe("explanations", () => {
  it.each([
    ["a step's key", "    retry: {attempts: 3}\n    set: {a: 1}\n", "retry", "repeated"],
    ["a key within", "    retry: {attempts: 3}\n    set: {a: 1}\n", "attempts", "first included"],
    ["a kind", "    set: {a: 1}\n", "set", "compute"],
  ])("says what %s is", (_, step, key, words) => {
    const text = `name: a\nsteps:\n  - id: one\n${step}`;
    const found = explainedAt(text, text.indexOf(key) + 1, ROOT);
    expect(found?.words.join(" ")).toContain(words);
    expect(text.slice(found?.from, found?.to)).toBe(key);
  });

  it("says what a key of a field in a group is", () => {
    const text = `${FORM}          owner: {type: object, properties: {name: {type: string, pattern: "^a"}}}\n`;
    expect(explainedAt(text, text.indexOf("pattern") + 2, ROOT)?.words[1]).toContain("regular expression");
  });
});
