/** What a new step of each kind begins with. A kind without an entry begins with the least that its schema asks for. */
import { smallest, type Language } from "./schema";
import { written, pair } from "./written";

export const GROUPS = {
  asks: ["form", "upload", "consent", "message"],
  works: ["http", "check", "record", "email", "set", "workflow"],
  decides: ["review", "switch", "parallel", "each", "wait", "event", "end", "fail"],
} as const;

export type GroupName = keyof typeof GROUPS | "others";

/** The kinds of a language, as the palette shows them: those that a plug-in adds stand in a group of their own. */
export function grouped(kinds: Iterable<string>): [GroupName, string[]][] {
  const names = new Set(kinds);
  const known = Object.entries(GROUPS).map(([group, of]) => [group as GroupName, of.filter((name) => names.delete(name))] as [GroupName, string[]]);
  return names.size > 0 ? [...known, ["others", [...names]]] : known;
}

export interface Words {
  /** What a new step of a kind is called, by kind. */
  titles: Readonly<Record<Titled, string>>;
  text: string;
  agree: string;
  name: string;
  /** What an e-mail says, and why somebody is refused. */
  letter: string;
  refusal: string;
}

/** The kinds that begin with a title of their own. */
export type Titled = "form" | "upload" | "consent" | "message" | "email" | "review";

interface Situation {
  language: Language;
  words: Words;
  /** Names that are there: steps to jump to, tables, definitions. */
  step: string | undefined;
  table: string | undefined;
  definition: string | undefined;
  list: string | undefined;
  value: string | undefined;
  email: string | undefined;
  id: string;
}

const STARTS: Record<string, (now: Situation) => unknown> = {
  form: ({ words }) => ({ title: words.titles.form, schema: { type: "object", required: ["name"], properties: { name: { type: "string", title: words.name } } } }),
  upload: ({ words }) => ({ title: words.titles.upload, accept: ["application/pdf", "image/*"], max: 1 }),
  consent: ({ words }) => ({ title: words.titles.consent, text: words.agree, version: "1" }),
  message: ({ words }) => ({ title: words.titles.message, text: words.text }),
  http: () => ({ method: "GET", url: "https://example.com/", timeout: "10s" }),
  check: ({ value }) => ({ name: "email-address", with: { value: value ?? "name@example.com" } }),
  record: ({ table }) => (table ? { table, find: {} } : { find: {} }),
  email: ({ words, email }) => ({ to: email ?? "name@example.com", subject: words.titles.email, body: words.letter }),
  set: () => ({ value: true }),
  workflow: ({ definition }) => ({ definition: definition ?? "other-definition" }),
  review: ({ words }) => ({ title: words.titles.review, outcomes: ["approve", "reject"] }),
  switch: ({ step, id }) => [{ when: "false", goto: step ?? id }],
  parallel: ({ id }) => ({ branches: { one: [{ id: `${id}One`, set: { done: true } }], two: [{ id: `${id}Two`, set: { done: true } }] } }),
  each: ({ list, id }) => ({ in: list ?? ["first", "second"], steps: [{ id: `${id}Item`, set: { item: "${item}" } }] }),
  wait: () => ({ for: "1d" }),
  event: () => ({ within: "7d" }),
  end: () => ({}),
  fail: ({ words }) => ({ code: "REFUSED", message: words.refusal }),
};

/** A new step as text, from the first column, without a dash. */
export function newStep(kind: string, now: Situation): string {
  const schema = now.language.kinds.get(kind);
  const value = STARTS[kind]?.(now) ?? (schema ? smallest(now.language.root, schema) : {});
  const style = { indent: 0, step: 2, deepLists: true, flow: false, eol: "\n", json: false };
  return `id: ${written(now.id, style)}\n${isMapping(value) ? [`${kind}:`, ...Object.entries(value).map(([name, one]) => `  ${pair(name, one, { ...style, indent: 2 })}`)].join("\n") : pair(kind, value, style)}`;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 0;
}
