import { describe, expect, it } from "vitest";

import { drawn } from "@/builder/flow";
import { parse } from "@/builder/parsed";
import { outline, type Nesting } from "@/builder/steps";

const NESTING: Nesting = new Map([
  ["set", []],
  ["switch", []],
  ["end", []],
  ["each", [["steps"]]],
]);

function boxes(steps: string) {
  return drawn(outline(parse(`name: a\nsteps:\n${steps}`).value, NESTING)).boxes;
}

describe("the drawing of steps", () => {
  it("puts a line of steps one below the other, groups in it as well", () => {
    const found = boxes("  - {id: a, set: {x: 1}}\n  - id: all\n    each:\n      in: [1]\n      steps:\n        - {id: b, set: {x: 1}}\n  - {id: c, set: {x: 1}}\n");
    const outer = found.filter((box) => box.parent === undefined);
    expect(outer.map((box) => box.shape)).toEqual(["begin", "step", "group", "step", "end"]);
    const middles = outer.map((box) => box.x + box.width / 2);
    expect(new Set(middles).size).toBe(1);
    outer.slice(1).forEach((box, place) => expect(box.y - (outer[place]!.y + outer[place]!.height)).toBe(30));
  });

  it("goes on beside the line where only a way from further up leads, below where that begins", () => {
    const found = boxes("  - {id: a, switch: [{when: x, goto: d}]}\n  - {id: b, set: {x: 1}}\n  - {id: c, end: {}}\n  - {id: d, set: {x: 1}}\n");
    const [a, b, d] = ["a", "b", "d"].map((id) => found.find((box) => box.step?.id === id)!);
    expect(d!.y).toBeGreaterThan(a!.y);
    expect(d!.x).not.toBe(b!.x);
  });

  it("puts what no step leads to beside the line", () => {
    const found = boxes("  - {id: a, switch: [{goto: c}]}\n  - {id: b, end: {}}\n  - {id: c, set: {x: 1}}\n");
    const [a, b] = ["a", "b"].map((id) => found.find((box) => box.step?.id === id)!);
    expect(a!.x === b!.x && a!.y === b!.y).toBe(false);
    expect(found).toHaveLength(5);
  });
});
