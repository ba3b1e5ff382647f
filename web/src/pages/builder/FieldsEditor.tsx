/** The fields of a form: made, ordered and taken away; what each asks for, its rules, texts and condition. */
import { Checkbox, Select } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconChevronDown, IconChevronRight, IconGripVertical, IconPlus, IconTrash } from "@tabler/icons-react";
import { useState, type DragEvent } from "react";
import { useTranslation } from "react-i18next";

import { change, move, remove, renameKey, set, valueAt } from "@/builder/edits";
import { asKind, FIELD_KINDS, freeName, isField, keywordsOf, kindOfField, optionsOf, type Field, type FieldKindName, type KindOfField } from "@/builder/fields";
import type { Parsed, Path } from "@/builder/parsed";
import { schemaAt, type Schema } from "@/builder/schema";
import { ExpressionInput } from "./ExpressionInput";
import { Group, isObject, KeyInput, Tool } from "./inputs";
import { ObjectInput, useErrorAt, type InputProps } from "./SchemaForm";
import { problemsAt, useBuilder } from "./state";
import { CountryChoice, CurrencyChoice, OptionsEditor } from "./Options";
import { TextsInput } from "./TextsInput";
import css from "./Builder.module.css";

const NAMES = Object.keys(FIELD_KINDS) as FieldKindName[];
/** Keywords of JSON Schema that the published schema of a field leaves to the standard. */
const STANDARD: Record<string, Schema> = {
  minLength: { type: "integer", default: 1 },
  maxLength: { type: "integer", default: 100 },
  minimum: { type: "number", default: 0 },
  maximum: { type: "number", default: 100 },
  minItems: { type: "integer", default: 1 },
  maxItems: { type: "integer", default: 10 },
  earliest: { type: "string", default: "today" },
  latest: { type: "string", default: "today" },
  minAge: { type: "integer", default: 18 },
  maxAge: { type: "integer", default: 120 },
  pattern: { type: "string", default: "^[0-9]+$" },
};
/** Formats that have a name of their own in people's language; the others are known by what they are called in the standard. */
const FORMAT_WORDS = ["date-time", "time", "uri", "iban", "nip", "pesel", "vat", "lei"] as const;
type FormatWord = (typeof FORMAT_WORDS)[number];
/** What the list itself shows. */
const SHOWN = ["type", "format", "title", "description", "visibleWhen", "enum", "oneOf", "items", "properties", "required", "defaultCountry", "currency"];
/** Of a field that is none of the kinds, these stand as they are written. */
const AS_WRITTEN = new Set(["type", "format", "enum", "oneOf", "items"]);

/** The schema of a form. `path`: where it stands. */
export function FieldsEditor({ path, label }: InputProps) {
  const error = useErrorAt(path);
  return (
    <Group label={label}>
      {error && <p className={css.error}>{error}</p>}
      <FieldList path={path} />
    </Group>
  );
}

/** The fields of an object's schema at a path: of a form, of a group, of an entry of a list. */
function FieldList({ path }: { path: Path }) {
  const { parsed, edit } = useBuilder();
  const { t } = useTranslation("builder");
  const [opened, setOpened] = useState<string>();
  const [dragged, setDragged] = useState<number>();
  const schema = valueAt(parsed, path);
  const properties = isObject(schema) && isObject(schema["properties"]) ? schema["properties"] : {};
  const names = Object.keys(properties);
  const required = isObject(schema) && Array.isArray(schema["required"]) ? (schema["required"] as unknown[]) : [];
  const group = path[path.lastIndexOf("properties") + 1];
  const adds = path.includes("properties") ? t("addFieldIn", { what: String(group) }) : t("addField");
  const choice = useKindChoice();
  const add = (kind: KindOfField) => {
    const name = freeName(names, nameFor(kind));
    const field = { ...asKind({}, kind), title: fieldWords(t, kind) };
    if (edit((now) => set(now, [...path, "properties", name], field))) setOpened(name);
  };
  return (
    <>
      <ol className={css.fields}>
        {names.map((name, place) => {
          const field = properties[name];
          return (
            <li
              key={name}
              className={css.field}
              data-over={dragged !== undefined && dragged !== place ? "" : undefined}
              onDragOver={(event) => dragged !== undefined && event.preventDefault()}
              onDrop={(event: DragEvent) => {
                event.preventDefault();
                if (dragged !== undefined && dragged !== place) edit((now) => move(now, [...path, "properties", names[dragged]!], place));
                setDragged(undefined);
              }}
            >
              <div className={css.fieldHead} draggable onDragStart={() => setDragged(place)} onDragEnd={() => setDragged(undefined)}>
                <IconGripVertical size={14} aria-hidden className={css.grip} />
                <button type="button" className={css.fieldName} aria-expanded={opened === name} onClick={() => setOpened(opened === name ? undefined : name)}>
                  {opened === name ? <IconChevronDown size={14} aria-hidden /> : <IconChevronRight size={14} aria-hidden />}
                  <span className="mono">{name}</span>
                  <span className="quiet">{fieldWords(t, isField(field) ? kindOfField(field) : undefined)}</span>
                </button>
                <Tool icon={IconArrowUp} text={t("upOf", { what: name })} disabled={place === 0} onClick={() => edit((now) => move(now, [...path, "properties", name], place - 1))} />
                <Tool icon={IconArrowDown} text={t("downOf", { what: name })} disabled={place === names.length - 1} onClick={() => edit((now) => move(now, [...path, "properties", name], place + 1))} />
                <Tool icon={IconTrash} text={t("removeOf", { what: name })} onClick={() => edit((now) => withoutField(now, path, name))} />
              </div>
              {opened === name && (
                <FieldForm
                  within={path}
                  name={name}
                  names={names}
                  isRequired={required.includes(name)}
                  onRenamed={(to) => {
                    if (edit((now) => renamedField(now, path, name, to))) setOpened(to);
                  }}
                />
              )}
            </li>
          );
        })}
      </ol>
      <Select
        aria-label={adds}
        placeholder={adds}
        leftSection={<IconPlus size={13} />}
        data={choice}
        value={null}
        searchable
        maxDropdownHeight={360}
        onChange={(kind) => kind && add(kind as KindOfField)}
      />
    </>
  );
}

/** What the published schema says of a field. */
function usePublished(): Schema {
  const { language } = useBuilder();
  return schemaAt(language.root, ["steps", 0, "form", "schema", "properties", "any"]) ?? {};
}

/** Every kind of field, and every format of a text that is not one of them. */
function useKindChoice() {
  const { t } = useTranslation("builder");
  const formats = (usePublished().properties?.["format"]?.examples ?? []).filter((one): one is string => typeof one === "string");
  const others = formats.filter((format) => kindOfField({ type: "string", format }) === `format:${format}`);
  return [
    { group: t("fieldKinds"), items: NAMES.map((one) => ({ value: one, label: t(`field.${one}`) })) },
    { group: t("fieldFormats"), items: others.map((format) => ({ value: `format:${format}`, label: fieldWords(t, `format:${format}`) })) },
  ];
}

function nameFor(kind: KindOfField): string {
  if (kind === "text") return "field";
  return kind.replace(/^format:/, "").replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function fieldWords(t: ReturnType<typeof useTranslation<"builder">>["t"], kind: KindOfField | undefined): string {
  if (kind === undefined) return t("field.other");
  if (!kind.startsWith("format:")) return t(`field.${kind as FieldKindName}`);
  const format = kind.slice(7);
  return (FORMAT_WORDS as readonly string[]).includes(format) ? t(`format.${format as FormatWord}`) : format;
}

interface FieldFormProps {
  within: Path;
  name: string;
  names: readonly string[];
  isRequired: boolean;
  onRenamed: (to: string) => void;
}

function FieldForm({ within, name, names, isRequired, onRenamed }: FieldFormProps) {
  const { parsed, edit, problems } = useBuilder();
  const { t } = useTranslation("builder");
  const path = [...within, "properties", name];
  const value = valueAt(parsed, path);
  const field: Field = isField(value) ? value : {};
  const kind = kindOfField(field);
  const choice = useKindChoice();
  const about = useKeywords(field);
  const asked = [...within.slice(0, within.indexOf("schema") + 1), "properties"];
  const readable = Object.keys(valueAt(parsed, asked) ?? {}).filter((one) => one !== name || asked.length !== within.length + 1);
  const wrong = problemsAt(problems, path);
  // What stands beside its own input is not said above it as well: the input would move away while somebody types.
  const elsewhere = wrong.find((one) => one.path.at(-1) !== "visibleWhen");
  return (
    <div className={css.fieldBody}>
      {elsewhere && <p className={css.error}>{elsewhere.message}</p>}
      <div className={css.pair}>
        <KeyInput label={t("fieldName")} name={name} taken={names} onRename={onRenamed} />
        <Select label={t("fieldKind")} data={choice} value={kind ?? null} allowDeselect={false} maxDropdownHeight={320} onChange={(chosen) => chosen && edit((now) => change(now, path, asKind(field, chosen as KindOfField)))} />
      </div>
      <Checkbox label={t("required")} checked={isRequired} onChange={(event) => edit(requiring(within, name, event.currentTarget.checked))} />
      <TextsInput path={[...path, "title"]} schema={{}} label={t("fieldTitle")} />
      <TextsInput path={[...path, "description"]} schema={{}} label={t("fieldHint")} />
      {kind === "choice" && <OptionsEditor path={path} />}
      {kind === "choices" && <OptionsEditor path={[...path, "items"]} />}
      {kind === "phone" && <CountryChoice path={[...path, "defaultCountry"]} label={t("word.defaultCountry")} />}
      {(kind === "number" || kind === "integer") && <CurrencyChoice path={[...path, "currency"]} label={t("word.currency")} />}
      {kind === "group" && (
        <Group label={t("fieldsIn", { name })}>
          <FieldList path={path} />
        </Group>
      )}
      {kind === "entries" && (
        <Group label={t("fieldsIn", { name })}>
          <FieldList path={[...path, "items"]} />
        </Group>
      )}
      <ExpressionInput path={[...path, "visibleWhen"]} schema={{ description: t("visibleWhenHint") }} label={t("visibleWhen")} whole more={readable.map((one) => `form.${one}`)} error={wrong.find((one) => one.path.at(-1) === "visibleWhen")?.message} />
      <ObjectInput bare path={path} schema={about} label={name} skip={kind === undefined ? SHOWN.filter((one) => !AS_WRITTEN.has(one)) : SHOWN} />
    </div>
  );
}

/** What a field of this kind may say besides: what fits the kind first, then all that is published. */
function useKeywords(field: Field): Schema {
  const { language } = useBuilder();
  const published = usePublished().properties ?? {};
  const checks = schemaAt(language.root, ["steps", 0, "check", "name"])?.examples ?? [];
  const own: Record<string, Schema> = {
    ...STANDARD,
    ...(!isField(field["check"]) && { check: { enum: [...new Set([...checks, field["check"] ?? checks[0]])] } }),
    default: defaultOf(field),
  };
  const names = [...new Set([...keywordsOf(field), ...Object.keys(published)])].filter((one) => !SHOWN.includes(one));
  return { properties: Object.fromEntries(names.map((one) => [one, { ...published[one], ...own[one] }])) };
}

/** A default is a value of the field. */
function defaultOf(field: Field): Schema {
  const options = optionsOf(field);
  if (options && options.length > 0) return { enum: options.map((one) => one.value) };
  const { type } = field;
  return type === "number" || type === "integer" || type === "boolean" ? { type } : {};
}

/** Whether a field must be filled in, said in the list beside its siblings; an empty list goes. */
function requiring(within: Path, name: string, isRequired: boolean) {
  return (parsed: Parsed) => {
    const list = valueAt(parsed, [...within, "required"]);
    const names = Array.isArray(list) ? (list as unknown[]) : [];
    const wanted = isRequired ? [...names, name] : names.filter((one) => one !== name);
    if (wanted.length === 0) return list === undefined ? parsed : remove(parsed, [...within, "required"]);
    return change(parsed, [...within, "required"], wanted, ["type"]);
  };
}

function withoutField(parsed: Parsed, within: Path, name: string): Parsed {
  return remove(requiring(within, name, false)(parsed), [...within, "properties", name]);
}

function renamedField(parsed: Parsed, within: Path, name: string, to: string): Parsed {
  const list = valueAt(parsed, [...within, "required"]);
  const place = Array.isArray(list) ? list.indexOf(name) : -1;
  const renamed = renameKey(parsed, [...within, "properties", name], to);
  return place < 0 ? renamed : set(renamed, [...within, "required", place], to);
}
