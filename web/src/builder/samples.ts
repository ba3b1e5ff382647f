/** Sample values of what expressions read, made of the definition itself: what an expression gives is shown with them. */
import { isField, optionsOf, type Field } from "./fields";
import { everyStep, type Step, type StepList } from "./steps";

export type Scope = Record<string, unknown>;

const ID = "0198c2f4-8f5e-7c3a-9d1b-2a6f4e5d7c80";
const TODAY = "2026-01-31";
const NOW = "2026-01-31T09:00:00.000Z";

const BY_FORMAT: Record<string, string> = {
  email: "ada@example.com",
  phone: "+48600100200",
  date: "1990-05-17",
  "date-time": NOW,
  time: "09:00:00Z",
  country: "PL",
  uri: "https://example.com/",
  uuid: ID,
  iban: "PL61109010140000071219812874",
  nip: "5260250274",
  pesel: "44051401359",
};

const OUTPUTS: Record<string, unknown> = {
  upload: { files: [{ resourceId: ID, resourceName: "file.pdf", type: "application/pdf", size: 1024 }] },
  consent: { accepted: true, version: "1", at: NOW },
  http: { status: 200, headers: {}, body: {} },
  check: { passed: true, status: "ok", reasons: [], data: {}, checkedAt: NOW },
  email: { messageId: ID, to: ["ada@example.com"] },
  each: { items: [] },
  workflow: { workflowId: ID, status: "COMPLETED", result: {} },
};

/** Values for what `text` reads. `within`: the step that it stands in, whose form's fields are read as `form`. */
export function scopeFor(text: string, document: unknown, list: StepList, within: Step | undefined, recordFields: readonly string[]): Scope {
  const root = isField(document) ? document : {};
  const named = new Set([...text.matchAll(/\bsteps\.(\w+)/g)].map((found) => found[1]!));
  const steps = everyStep(list).filter((one) => named.has(one.id));
  return {
    parameters: mapped(root["parameters"], (one) => (isField(one) ? sampleOf(one) : "text")),
    steps: Object.fromEntries(steps.map((one) => [one.id, outputOf(one, valueAt(root, one))])),
    record: Object.fromEntries(recordFields.map((name) => [name, "text"])),
    form: within ? outputOf(within, valueAt(root, within)) : {},
    execution: { id: ID, today: TODAY, startedAt: NOW },
    item: {},
    case: {},
  };
}

/** A value that a field may hold. */
export function sampleOf(field: Field): unknown {
  if ("const" in field) return field["const"];
  if (field["default"] !== undefined) return field["default"];
  const [first] = optionsOf(field) ?? [];
  if (first) return first.value;
  const { type, format } = field;
  if (type === "number" || type === "integer") return typeof field["minimum"] === "number" ? field["minimum"] : 1;
  if (type === "boolean") return true;
  if (type === "array" || type === "list") return isField(field["items"]) ? [sampleOf(field["items"])] : [];
  if (type === "object") return mapped(field["properties"], (one) => (isField(one) ? sampleOf(one) : "text"));
  return (typeof format === "string" ? BY_FORMAT[format] : undefined) ?? "text";
}

/** What the `${…}` of a text read, each once: secrets have no samples. */
export function readsIn(text: string): string[] {
  const inside = [...text.matchAll(/\$\{([^}]*)\}/g)].map((found) => found[1]!.replace(/'[^']*'|"[^"]*"/g, ""));
  return [...new Set(inside.flatMap((one) => one.match(/(?<![\w.])(?:parameters|steps|record|case|execution|item)(?:\.\w+)*/g) ?? []))];
}

/** The scope with one value of another: `steps.risk.score`. */
export function withSample(scope: Scope, name: string, value: unknown): Scope {
  const [first, ...rest] = name.split(".") as [string, ...string[]];
  const inner = scope[first];
  return { ...scope, [first]: rest.length === 0 ? value : withSample(isField(inner) ? inner : {}, rest.join("."), value) };
}

export function sampleAt(scope: Scope, name: string): unknown {
  return name.split(".").reduce<unknown>((value, part) => (isField(value) ? value[part] : undefined), scope);
}

function outputOf(step: Step, value: unknown): unknown {
  if (step.kind === "form" || step.kind === "event") return isField(value) && isField(value["schema"]) ? sampleOf({ type: "object", ...value["schema"] }) : {};
  if (step.kind === "set") return mapped(value, (one) => one);
  if (step.kind === "review") return { outcome: isField(value) && Array.isArray(value["outcomes"]) ? (value["outcomes"] as unknown[])[0] : "approve", comment: "", by: "Ada", at: NOW };
  return OUTPUTS[step.kind ?? ""] ?? {};
}

function valueAt(root: Field, step: Step): unknown {
  return [...step.path, step.kind ?? ""].reduce<unknown>((value, part) => (isField(value) || Array.isArray(value) ? (value as Record<string | number, unknown>)[part] : undefined), root);
}

function mapped(value: unknown, make: (one: unknown) => unknown): Field {
  return isField(value) ? Object.fromEntries(Object.entries(value).map(([name, one]) => [name, make(one)])) : {};
}
