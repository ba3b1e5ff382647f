import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

type Texts = { [name: string]: string | Texts };

const FOLDER = join(import.meta.dirname, "../src/texts");
const PLURAL = /_(zero|one|two|few|many|other)$/;
const LANGUAGES = readdirSync(FOLDER, { withFileTypes: true }).flatMap((one) => (one.isDirectory() ? [one.name] : []));
const PAGES = readdirSync(join(FOLDER, "en"));

function read(language: string, page: string): Texts {
  return JSON.parse(readFileSync(join(FOLDER, language, page), "utf8")) as Texts;
}

function flat(texts: Texts, before = ""): [string, string][] {
  return Object.entries(texts).flatMap(([name, text]) =>
    typeof text === "string" ? [[before + name, text] as [string, string]] : flat(text, `${before}${name}.`),
  );
}

/** What stands in braces: what the page puts in. */
function placeholders(text: string): string[] {
  return [...text.matchAll(/{{\s*(\w+)/g)].map((found) => found[1]!).sort();
}

describe.each(PAGES)("%s", (page) => {
  const english = flat(read("en", page));

  it.each(LANGUAGES)("has every text in %s, and none besides", (language) => {
    const names = (texts: [string, string][]) => [...new Set(texts.map(([name]) => name.replace(PLURAL, "")))].sort();
    expect(names(flat(read(language, page)))).toEqual(names(english));
  });

  it.each(LANGUAGES)("has every form of each plural in %s", (language) => {
    const wanted = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    const texts = new Map(flat(read(language, page)));
    for (const name of texts.keys()) {
      if (!PLURAL.test(name)) continue;
      for (const form of wanted) expect([...texts.keys()]).toContain(name.replace(PLURAL, `_${form}`));
    }
  });

  it.each(LANGUAGES)("puts the same into each text in %s", (language) => {
    const meant = new Map(english.map(([name, text]) => [name.replace(PLURAL, ""), placeholders(text)]));
    for (const [name, text] of flat(read(language, page))) {
      expect(placeholders(text), name).toEqual(meant.get(name.replace(PLURAL, "")));
    }
  });
});

it("has the same files in every language", () => {
  for (const language of LANGUAGES) expect(readdirSync(join(FOLDER, language)).sort()).toEqual([...PAGES].sort());
});

it("says in every other language what each code of the API means", () => {
  const reference = readFileSync(join(import.meta.dirname, "../../docs/reference/errors.md"), "utf8");
  const codes = [...reference.matchAll(/^\| `([A-Z0-9_]+)`/gm)].map((found) => found[1]!);
  for (const language of LANGUAGES.filter((one) => one !== "en")) {
    const texts = JSON.parse(readFileSync(join(FOLDER, "../api/refusals", `${language}.json`), "utf8")) as Record<string, string>;
    expect(Object.keys(texts).sort()).toEqual(codes.sort());
  }
});
