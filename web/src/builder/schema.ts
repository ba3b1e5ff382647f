/** The published JSON Schema of definitions, as the builder reads it: what a step kind may have, and where its steps are. */
import type { Path } from "./parsed";
import type { Nesting } from "./steps";

export interface Schema {
  $ref?: string;
  type?: string | readonly string[];
  description?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  required?: readonly string[];
  enum?: readonly unknown[];
  const?: unknown;
  default?: unknown;
  anyOf?: readonly Schema[];
  oneOf?: readonly Schema[];
  /** Here: what holds where other values are there. */
  allOf?: readonly { if?: Schema; then?: Schema }[];
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  examples?: readonly unknown[];
  errorMessage?: string;
  $defs?: Record<string, Schema>;
}

export interface Language {
  root: Schema;
  /** What every step may have. */
  common: ReadonlyMap<string, Schema>;
  /** Each kind by its name, in the order of the schema. */
  kinds: ReadonlyMap<string, Schema>;
  nesting: Nesting;
}

const PART = "#/$defs/";

export function languageOf(root: Schema): Language {
  const step = root.$defs!["step"]!;
  const names = (step.oneOf ?? []).map((one) => one.required![0]!);
  const properties = step.properties!;
  const kinds = new Map(names.map((name) => [name, properties[name]!]));
  const common = new Map(Object.entries(properties).filter(([name]) => !kinds.has(name)));
  return { root, common, kinds, nesting: new Map(names.map((name) => [name, listsIn(properties[name]!, [])])) };
}

/** The part of the language that a schema refers to: `text`, `expression`, `duration`… */
export function partOf(schema: Schema): string | undefined {
  return schema.$ref?.startsWith(PART) ? schema.$ref.slice(PART.length) : undefined;
}

/** A schema with what it refers to. */
export function resolved(root: Schema, schema: Schema): Schema {
  const part = partOf(schema);
  const found = part === undefined ? undefined : root.$defs?.[part];
  return found ? { ...found, ...schema } : schema;
}

function listsIn(schema: Schema, path: Path): Path[] {
  if (partOf(schema) === "steps") return [path];
  const named = Object.entries(schema.properties ?? {}).flatMap(([name, one]) => listsIn(one, [...path, name]));
  const any = typeof schema.additionalProperties === "object" ? listsIn(schema.additionalProperties, [...path, "*"]) : [];
  return [...named, ...any];
}

/** The schema of what stands at a path of a definition; undefined where it says nothing of it. */
export function schemaAt(root: Schema, path: Path, definition?: unknown): Schema | undefined {
  let here: Schema | undefined = root;
  let value = definition;
  for (const part of path) {
    if (!here) return undefined;
    const schema: Schema = fitting(resolved(root, here), value);
    value = isMapping(value) || Array.isArray(value) ? (value as Record<string | number, unknown>)[part] : undefined;
    if (typeof part === "number") here = schema.items;
    else here = withinField(schema, part) ?? alternatives(root, schema)[part] ?? (typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined);
  }
  return here && resolved(root, here);
}

/** A schema with what it says of its keys where a value has others: what a check takes depends on its name. */
export function fitting(schema: Schema, value: unknown): Schema {
  if (!schema.allOf || !isMapping(value)) return schema;
  const properties = { ...schema.properties };
  for (const { if: asked, then } of schema.allOf) {
    const holds = Object.entries(asked?.properties ?? {}).every(([name, one]) => value[name] === one.const);
    if (holds) for (const [name, one] of Object.entries(then?.properties ?? {})) properties[name] = { ...properties[name], ...one };
  }
  return { ...schema, properties };
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The keys that a mapping may have, of each form that it may have. */
export function alternatives(root: Schema, schema: Schema): Record<string, Schema> {
  const forms = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].map((one) => resolved(root, one).properties);
  return Object.assign({}, ...forms, schema.properties) as Record<string, Schema>;
}

const OPTION: Schema = {
  type: "object",
  properties: { const: { description: "The value." }, title: { $ref: `${PART}text`, description: "Its text." } },
};

/** The fields of a group and the entries of a list are fields again, which the published schema says in words only. */
function withinField(field: Schema, part: string): Schema | undefined {
  const own = field.properties?.["visibleWhen"] && field.properties[part];
  if (!own) return undefined;
  if (part === "items") return { ...field, ...own };
  if (part === "properties") return { ...own, type: "object", additionalProperties: field };
  return part === "oneOf" ? { ...own, items: OPTION } : undefined;
}

/** The types that a value may have; empty: any. */
export function typesOf(schema: Schema): readonly string[] {
  if (typeof schema.type === "string") return [schema.type];
  return schema.type ?? [];
}

/** The least that a value must be. */
export function smallest(root: Schema, given: Schema): unknown {
  const schema = resolved(root, given);
  const part = partOf(given);
  if (part === "steps") return [{ id: "step", set: { done: true } }];
  if (schema.const !== undefined) return schema.const;
  if (schema.default !== undefined) return schema.default;
  if (schema.enum) return schema.enum[0];
  if (part !== undefined && schema.examples) return schema.examples[0];
  const [type] = typesOf(schema);
  if (type === "object") {
    const wanted = [...(schema.required ?? []), ...(schema.oneOf?.[0]?.required ?? [])];
    return Object.fromEntries(wanted.map((name) => [name, smallest(root, schema.properties?.[name] ?? {})]));
  }
  if (type === "array") return Array.from({ length: schema.minItems ?? 0 }, (_, place) => numbered(smallest(root, schema.items ?? {}), place));
  if (type === "number" || type === "integer") return schema.minimum ?? 0;
  if (type === "boolean") return false;
  return exampleText(schema);
}

function exampleText(schema: Schema): string {
  const example = schema.examples?.find((one) => typeof one === "string");
  return typeof example === "string" ? example : "value";
}

function numbered(value: unknown, place: number): unknown {
  return typeof value === "string" && place > 0 ? `${value}${place + 1}` : value;
}
