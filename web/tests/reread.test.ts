import fc from "fast-check";
import { isCollection, isMap, isScalar, isSeq, type Node, type YAMLMap } from "yaml";
import { describe, expect, it } from "vitest";

import { parse, read, trimmed } from "@/builder/parsed";
import { reread } from "@/builder/reread";

const TEXT =
  "# A long one\nname: long\nsteps:\n" +
  Array.from({ length: 14 }, (_, number) =>
    [
      `  - id: s${number}\n    set: {a: ${number}, b: "x: # ${number}"}\n`,
      `  # about s${number}\n  - id: s${number}\n    message:\n      title: 'It''s'\n      text: |+\n        One\n\n        two\n\n`,
      `  - id: s${number}   # here\n    each:\n      in: [1, 2]\n      steps:\n        - id: in${number}\n          wait: {for: 1d}\n\n`,
    ][number % 3]!,
  ).join("") +
  "result:\n  all: true\n";

const BEFORE = read(TEXT);

/** Every value with its place. Where a list in lines ends is asked of its items (`layoutOf`), and white space is nobody's. */
function places(text: string, node: Node | null): unknown {
  const isInLines = isCollection(node) && !node.flow;
  const range = node?.range && [node.range[0], isInLines || trimmed(text, node.range[1], node.range[0])];
  if (isMap(node)) return [range, node.flow ?? false, (node as YAMLMap<Node, Node | null>).items.map((pair) => [places(text, pair.key), places(text, pair.value)])];
  if (isSeq(node)) return [range, node.flow ?? false, (node.items as Node[]).map((item) => places(text, item))];
  return isScalar(node) ? [range, node.type, node.value] : null;
}

describe("a text read again after a change", () => {
  it("is what it is when it is read as a whole", () => {
    const snippets = ["", "x", "\n", "  - id: new\n    set: {c: 1}\n", "\n    when: a > 1", "# no\n", "{", "'", '"', ": ", "- ", "|", "&a ", "*a", "---\n", "\t", "    ", "text: |\n"];
    fc.assert(
      fc.property(fc.integer({ min: 0, max: TEXT.length }), fc.integer({ min: 0, max: 90 }), fc.constantFrom(...snippets), (from, length, snippet) => {
        const text = TEXT.slice(0, from) + snippet + TEXT.slice(from + length);
        const again = reread(BEFORE, text, read);
        if (!again) return;
        const whole = read(text);
        expect(whole.readable).toBe(true);
        expect(again.value).toEqual(whole.value);
        expect(places(text, again.root)).toEqual(places(text, whole.root));
      }),
      { numRuns: 600 },
    );
  }, 90_000);

  it("reads only the step that changed", () => {
    const read_: string[] = [];
    const again = reread(read(TEXT), TEXT.replace("a: 6", "a: 66"), (text) => (read_.push(text), read(text)));
    expect(again?.value).toMatchObject({ steps: expect.arrayContaining([{ id: "s6", set: { a: 66, b: "x: # 6" } }]) as unknown });
    expect(read_).toHaveLength(1);
    expect(read_[0]!.length).toBeLessThan(TEXT.length / 4);
  });

  it("is kept: whoever reads the same text gets the same", () => {
    expect(parse(TEXT)).toBe(parse(TEXT));
  });
});
