/** Names that expressions can read at a place: what completion offers. */
import { everyStep, type Step, type StepList } from "./steps";

export interface Name {
  name: string;
  /** What it is: a type, or the kind of its step. */
  what: string;
}

const OUTPUTS: Record<string, readonly string[]> = {
  upload: ["files"],
  consent: ["accepted", "version", "at"],
  http: ["status", "headers", "body"],
  check: ["passed", "status", "reasons", "data", "source", "checkedAt"],
  email: ["messageId", "to"],
  review: ["outcome", "comment", "by", "at"],
  each: ["items"],
  workflow: ["workflowId", "status", "result"],
};

const FUNCTIONS = ["has(", "size(", "string(", "int("];

/** Everything that can be read in front of a step (anywhere, where none is named). */
export function namesFor(document: unknown, list: StepList, step: Step | undefined, tableFields: readonly string[]): Name[] {
  const root = isObject(document) ? document : {};
  const names: Name[] = [];
  for (const [name, one] of Object.entries(isObject(root["parameters"]) ? root["parameters"] : {})) {
    names.push({ name: `parameters.${name}`, what: isObject(one) && typeof one["type"] === "string" ? one["type"] : "" });
  }
  for (const field of root["record"] ? tableFields : []) names.push({ name: `record.${field}`, what: "" });
  for (const one of everyStep(list)) {
    if (!one.id || !one.kind || one === step) continue;
    names.push({ name: `steps.${one.id}`, what: one.kind });
    for (const part of outputs(one, valueOf(root, one))) names.push({ name: `steps.${one.id}.${part.name}`, what: part.what });
  }
  names.push({ name: "execution.id", what: "string" }, { name: "execution.today", what: "date" }, { name: "item", what: "each" });
  return [...names, ...FUNCTIONS.map((name) => ({ name, what: "" }))];
}

function outputs(step: Step, value: unknown): Name[] {
  if (step.kind === "form" && isObject(value) && isObject(value["schema"]) && isObject(value["schema"]["properties"])) {
    return Object.entries(value["schema"]["properties"]).map(([name, field]) => ({ name, what: isObject(field) && typeof field["type"] === "string" ? field["type"] : "" }));
  }
  if (step.kind === "set" && isObject(value)) return Object.keys(value).map((name) => ({ name, what: "" }));
  if (step.kind === "parallel") return step.lists.map((list) => ({ name: list.name, what: "" }));
  return (OUTPUTS[step.kind ?? ""] ?? []).map((name) => ({ name, what: "" }));
}

function valueOf(root: Record<string, unknown>, step: Step): unknown {
  const found = step.path.reduce<unknown>((value, part) => (isObject(value) || Array.isArray(value) ? (value as Record<string | number, unknown>)[part] : undefined), root);
  return isObject(found) && step.kind !== undefined ? found[step.kind] : undefined;
}

/** What is being typed at the end of an expression, and the names that go on with it. */
export function completions(text: string, names: readonly Name[], most = 12): { value: string; name: Name }[] {
  const token = /[A-Za-z_][\w.]*$/.exec(text)?.[0] ?? "";
  if (token === "" && !/(?:^|[\s({!&|=<>,+])$/.test(text)) return [];
  const before = text.slice(0, text.length - token.length);
  const depth = token.split(".").length;
  return names
    .filter(({ name }) => name.startsWith(token) && name !== token && name.split(".").length <= depth + 1)
    .slice(0, most)
    .map((name) => ({ value: before + name.name, name }));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
