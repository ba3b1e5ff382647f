import { describe, expect, it } from "vitest";

import { expressionAt, inserted, linked, lined, marked, type Selected } from "@/builder/formatting";

/** `a [b] c`: what is selected stands in brackets. */
function at(text: string): Selected {
  const [from, to] = [text.indexOf("["), text.indexOf("]") - 1];
  return { text: text.replace("[", "").replace("]", ""), from, to };
}

function shown({ text, from, to }: Selected): string {
  return `${text.slice(0, from)}[${text.slice(from, to)}]${text.slice(to)}`;
}

describe("a text formatted by buttons", () => {
  it.each([
    ["**", "a [b] c", "a **[b]** c"],
    ["**", "a **[b]** c", "a [b] c"],
    ["*", "a **[b]** c", "a ***[b]*** c"],
    ["*", "a ***[b]*** c", "a **[b]** c"],
    ["**", "a[ b ]c", "a **[b]** c"],
    ["**", "[]", "**[]**"],
    ["**", "one tw[]o", "one **[two]**"],
  ])("puts %s around %s, and takes it away", (mark, before, after) => {
    expect(shown(marked(at(before), mark))).toBe(after);
  });

  it("makes a link and selects where it leads to", () => {
    const { text, from, to } = linked(at("see [the page] now"));
    expect([text, text.slice(from, to)]).toEqual(["see [the page](https://) now", "https://"]);
  });

  it.each([
    ["list" as const, "one\n[two\nthree]", "one\n[- two\n- three]"],
    ["list" as const, "[- two\n- three]", "[two\nthree]"],
    ["numbers" as const, "[- two\n\n- three]", "[1. two\n\n2. three]"],
    ["heading" as const, "ti[tl]e\ntext", "[## title]\ntext"],
    ["heading" as const, "[## title]", "[title]"],
  ])("makes a %s of whole lines, and lines of it again", (mark, before, after) => {
    expect(shown(lined(at(before), mark))).toBe(after);
  });

  it("puts a value in where the caret is", () => {
    expect(shown(inserted(at("Dear [you],"), "${steps.who.name}"))).toBe("Dear ${steps.who.name}[],");
  });

  it("knows where an expression is being typed", () => {
    expect(expressionAt("Dear ${steps.", 13)).toBe(7);
    expect(expressionAt("Dear ${steps.a} and", 19)).toBeUndefined();
    expect(expressionAt("Dear $", 6)).toBeUndefined();
  });
});
