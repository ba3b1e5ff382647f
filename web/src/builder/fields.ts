/** The fields of a form: what is asked for, as people name it, and how its schema says that. */
export type Field = Record<string, unknown>;

/** How a kind of field is written. `more`: keywords of it beside `type` and `format` that its form offers first. */
export interface FieldKind {
  type: string;
  format?: string;
  more?: readonly string[];
  /** What a new one begins with. */
  start?: Field;
}

export const FIELD_KINDS = {
  text: { type: "string", more: ["minLength", "maxLength", "pattern", "default"] },
  longText: { type: "string", format: "multiline", more: ["maxLength"] },
  email: { type: "string", format: "email", more: ["check"] },
  phone: { type: "string", format: "phone", more: ["defaultCountry"] },
  date: { type: "string", format: "date", more: ["earliest", "latest", "minAge", "maxAge"] },
  number: { type: "number", more: ["minimum", "maximum", "currency", "default"] },
  integer: { type: "integer", more: ["minimum", "maximum", "default"] },
  yesNo: { type: "boolean", more: ["default"] },
  choice: { type: "string", more: ["default"], start: { enum: ["first", "second"] } },
  choices: { type: "array", more: ["minItems", "maxItems"], start: { items: { type: "string", enum: ["first", "second"] } } },
  texts: { type: "array", more: ["minItems", "maxItems"], start: { items: { type: "string" } } },
  entries: { type: "array", more: ["minItems", "maxItems"], start: { items: { type: "object", properties: { name: { type: "string" } } } } },
  group: { type: "object", start: { properties: { name: { type: "string" } } } },
  country: { type: "string", format: "country" },
} as const satisfies Record<string, FieldKind>;

export type FieldKindName = keyof typeof FIELD_KINDS;

/** A kind, or `format:NAME` for a format that has no kind of its own, or undefined for what is written otherwise. */
export type KindOfField = FieldKindName | `format:${string}`;

export function kindOfField(field: Field): KindOfField | undefined {
  const { type, format } = field;
  if (type === "array") {
    const items = isField(field["items"]) ? field["items"] : {};
    if (optionsOf(items)) return "choices";
    return items["type"] === "object" ? "entries" : items["type"] === "string" ? "texts" : undefined;
  }
  if (type === "object") return "group";
  if ((type === "string" || type === undefined) && optionsOf(field)) return "choice";
  if (type === "string" && typeof format === "string") {
    const own = (Object.entries(FIELD_KINDS) as [FieldKindName, FieldKind][]).find(([, kind]) => kind.format === format);
    return own ? own[0] : `format:${format}`;
  }
  if (type === "string") return "text";
  if (type === "number" || type === "integer") return type;
  if (type === "boolean") return "yesNo";
  return undefined;
}

/** A value that may be chosen, and its text. */
export interface Option {
  value: unknown;
  title: unknown;
}

/** What may be chosen: an `enum`, or a `oneOf` with a `const` each, which may have a text; undefined where nothing is said. */
export function optionsOf(field: Field): Option[] | undefined {
  const { enum: values, oneOf } = field;
  if (Array.isArray(values)) return (values as unknown[]).map((value) => ({ value, title: undefined }));
  if (!Array.isArray(oneOf) || !oneOf.every((one) => isField(one) && "const" in one)) return undefined;
  return (oneOf as Field[]).map((one) => ({ value: one["const"], title: one["title"] }));
}

/** The options written with texts, or as values alone. */
export function writtenOptions(options: readonly Option[], withTexts: boolean): Field {
  if (!withTexts) return { enum: options.map((one) => one.value) };
  return { oneOf: options.map(({ value, title }) => ({ const: value, title: title ?? String(value) })) };
}

/** Keywords that belong to one kind of field: another kind lets go of them. */
const OWN = new Set(["type", "format", "enum", "oneOf", "items", "properties", "required", ...Object.values(FIELD_KINDS).flatMap((kind: FieldKind) => kind.more ?? [])]);

/** The field as one of another kind: its texts and conditions stay. */
export function asKind(field: Field, kind: KindOfField): Field {
  const wanted: FieldKind = kind.startsWith("format:") ? { type: "string", format: kind.slice(7) } : FIELD_KINDS[kind as FieldKindName];
  const kept = Object.fromEntries(Object.entries(field).filter(([name]) => !OWN.has(name) || wanted.more?.includes(name)));
  return { type: wanted.type, ...(wanted.format && { format: wanted.format }), ...wanted.start, ...kept };
}

/** Keywords that the form of a field offers for its kind. */
export function keywordsOf(field: Field): readonly string[] {
  const kind = kindOfField(field);
  if (!kind || kind.startsWith("format:")) return ["pattern", "minLength", "maxLength", "default"];
  return (FIELD_KINDS[kind as FieldKindName] as FieldKind).more ?? [];
}

/** A name for a new field: `name`, `name2`… */
export function freeName(taken: readonly string[], wanted: string): string {
  let [name, number] = [wanted, 1];
  while (taken.includes(name)) name = `${wanted}${(number += 1)}`;
  return name;
}

export function isField(value: unknown): value is Field {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
