import { describe, expect, it } from "vitest";

import { parse } from "@/builder/parsed";
import { answersFor, outsideOf, withScenario } from "@/builder/scenarios";
import { outline, type Nesting } from "@/builder/steps";

const NESTING: Nesting = new Map(["form", "consent", "upload", "message", "check", "http", "review", "set"].map((kind) => [kind, []]));
const DOCUMENT = parse(`name: a
steps:
  - id: form
    form: {schema: {type: object, properties: {email: {type: string, format: email}}}}
  - id: consent
    consent: {text: Yes, version: "1"}
  - id: number
    check: {name: iban, with: {}}
  - id: register
    check: {name: company-register, with: {}}
  - id: call
    http: {url: "https://example.com/"}
  - id: look
    review: {outcomes: [good, bad]}
  - id: kept
    set: {a: 1}
  - id: between
    message: {text: Wait}
  - id: done
    message: {text: Bye}
`).value;
const LIST = outline(DOCUMENT, NESTING);

describe("scenarios that are written for somebody", () => {
  it("answers each step that asks people or the outside, and no other", () => {
    const answers = answersFor(LIST, DOCUMENT);
    expect(answers).toMatchObject({
      form: { body: { email: "ada@example.com" } },
      consent: { body: { accepted: true } },
      call: { status: 200 },
      look: { outcome: "good" },
    });
    expect(Object.keys(answers)).toEqual(expect.arrayContaining(["register"]));
    expect(answers).not.toHaveProperty("number");
    expect(answers).not.toHaveProperty("kept");
    expect(answers).toHaveProperty("between");
    expect(answers).not.toHaveProperty("done");
    expect(Object.keys(outsideOf(LIST, DOCUMENT))).toEqual(["register", "call"]);
  });

  it("stands behind those that are there", () => {
    const first = withScenario("", "One", { form: { body: { a: 1 } } });
    const both = withScenario(first, "Two", {});
    expect(parse(both).value).toEqual({
      scenarios: [
        { name: "One", answers: { form: { body: { a: 1 } } }, expect: { status: "COMPLETED" } },
        { name: "Two", expect: { status: "COMPLETED" } },
      ],
    });
    expect(both.startsWith(first.trimEnd())).toBe(true);
  });
});
