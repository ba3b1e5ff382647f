/** What the API refuses, in the page's language: the API itself speaks English, and says what exactly is wrong. */
import type { Problem } from "./errors";

const files = import.meta.glob<{ default: Readonly<Record<string, string>> }>("./refusals/*.json");

/** Each problem with a sentence of the page's language about its code, and the server's own words behind it. */
export async function inWords(problems: readonly Problem[]): Promise<readonly Problem[]> {
  const load = files[`./refusals/${document.documentElement.lang}.json`];
  if (!load) return problems;
  try {
    const { default: texts } = await load();
    return problems.map((problem) => {
      const text = texts[problem.code];
      return text === undefined ? problem : { ...problem, message: `${text} (${problem.message})` };
    });
  } catch {
    return problems; // the server is away, and with it the file
  }
}
