/** Forms that are made from the published schema of a step kind, so that none is missing. */
import { Button, Menu, NumberInput, Select, Switch, Textarea, TextInput } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconPlus, IconTrash } from "@tabler/icons-react";
import { createContext, useContext, useLayoutEffect, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { stringify } from "yaml";

import { insert, move, remove, renameKey, set, valueAt } from "@/builder/edits";
import { find, parse, rangeOf, type Path } from "@/builder/parsed";
import { partOf, resolved, smallest, typesOf, type Schema } from "@/builder/schema";
import { everyStep } from "@/builder/steps";
import { ExpressionInput } from "./ExpressionInput";
import { described, Group, isObject, KeyInput, Tool } from "./inputs";
import { problemsAt, useBuilder } from "./state";
import { TextsInput } from "./TextsInput";
import { useKeyWords } from "./words";
import css from "./Builder.module.css";

export interface InputProps {
  path: Path;
  schema: Schema;
  label: string;
  /** Buttons beside the label: to take it away, to move it. */
  actions?: ReactNode;
}

/** Hand-made parts, by the end of the path that they stand for: `form.schema`. */
export const HandMade = createContext<Readonly<Record<string, (props: InputProps) => ReactNode>>>({});

/** The input for what stands at a path. */
export function SchemaInput(props: InputProps) {
  const { parsed, language } = useBuilder();
  const parts = useContext(HandMade);
  const error = useErrorAt(props.path);
  const part = partOf(props.schema);
  const schema = resolved(language.root, props.schema);
  const own = parts[props.path.slice(-2).join(".")];
  if (own) return own(props);
  const value = valueAt(parsed, props.path);
  const given = { ...props, schema };
  if (part === "steps") return <Nested {...given} />;
  if (part === "text") return <TextsInput {...given} error={error} />;
  return <Kinded {...given} part={part} value={value} error={error} />;
}

/** The error beside an input: only what stands exactly there. */
export function useErrorAt(path: Path): string | undefined {
  const { problems } = useBuilder();
  const found = problemsAt(problems, path).filter((one) => one.path.length <= path.length + 1);
  return found[0]?.message;
}

interface KindedProps extends InputProps {
  part: string | undefined;
  value: unknown;
  error: string | undefined;
}

function Kinded({ part, value, error, ...props }: KindedProps) {
  const { schema, path } = props;
  const types = typesOf(schema);
  if (part === "expression") return <ExpressionInput {...props} whole error={error} />;
  if (part === "stepId" && path.at(-1) === "goto") return <StepChoice {...props} error={error} value={value} />;
  if (schema.enum) return <EnumInput {...props} value={value} error={error} />;
  if (types.length === 1 && types[0] === "boolean") return <BooleanInput {...props} value={value} />;
  if (types.length === 1 && (types[0] === "integer" || types[0] === "number")) return <NumericInput {...props} value={value} error={error} />;
  if (types.includes("array") && (Array.isArray(value) || types.length === 1)) return <ListInput {...props} value={value} />;
  if (schema.properties && (isObject(value) || !types.includes("string"))) return <ObjectInput {...props} />;
  if (types.includes("object") && !types.includes("string") && typeof schema.additionalProperties !== "boolean") return <MapInput {...props} value={value} />;
  const mayRead = typeof value === "string" && value.length < 400 && (part === "template" || part === "textTemplate" || value.includes("${") || types.length === 0);
  const isText = types.includes("string") && (typeof value === "string" || value === undefined);
  if (mayRead || isText) return <TextInputOf {...props} value={value} error={error} mayRead={mayRead} />;
  return <AnyInput {...props} error={error} />;
}

/** A text, or one with expressions in it: where it becomes the other while somebody types, they go on typing. */
function TextInputOf({ mayRead, ...props }: InputProps & { value: unknown; error: string | undefined; mayRead: boolean }) {
  const host = useRef<HTMLDivElement>(null);
  const isInside = useRef(false);
  useLayoutEffect(() => {
    const input = isInside.current ? host.current?.querySelector("input") : undefined;
    input?.focus();
    input?.setSelectionRange(input.value.length, input.value.length);
  }, [mayRead]);
  return (
    <div ref={host} onFocus={() => (isInside.current = true)} onBlur={() => (isInside.current = false)}>
      {mayRead ? <ExpressionInput {...props} /> : <PlainInput {...props} />}
    </div>
  );
}

function PlainInput({ path, schema, label, actions, value, error }: InputProps & { value: unknown; error: string | undefined }) {
  const { edit } = useBuilder();
  return (
    <div className={css.row}>
      <TextInput
        className={css.grow}
        label={label}
        description={described(schema.description)}
        value={typeof value === "string" ? value : ""}
        error={error}
        onChange={(event) => {
          const typed = event.currentTarget.value;
          edit((parsed) => set(parsed, path, typed), path.join("."));
        }}
      />
      {actions}
    </div>
  );
}

function EnumInput({ path, schema, label, actions, value, error }: InputProps & { value: unknown; error: string | undefined }) {
  const { edit } = useBuilder();
  const options = schema.enum!.map(String);
  return (
    <div className={css.row}>
      <Select
        className={css.grow}
        label={label}
        description={described(schema.description)}
        data={options}
        value={value === undefined ? null : worded(value)}
        placeholder={schema.default === undefined ? "" : worded(schema.default)}
        allowDeselect={false}
        error={error}
        onChange={(chosen) => chosen !== null && edit((parsed) => set(parsed, path, schema.enum!.find((one) => String(one) === chosen)))}
      />
      {actions}
    </div>
  );
}

function StepChoice({ path, schema, label, actions, value, error }: InputProps & { value: unknown; error: string | undefined }) {
  const { edit, list } = useBuilder();
  return (
    <div className={css.row}>
      <Select
        className={css.grow}
        label={label}
        description={described(schema.description)}
        data={everyStep(list).flatMap((step) => (step.id ? [step.id] : []))}
        value={typeof value === "string" ? value : null}
        allowDeselect={false}
        searchable
        error={error}
        onChange={(chosen) => chosen !== null && edit((parsed) => set(parsed, path, chosen))}
      />
      {actions}
    </div>
  );
}

/** A simple value as a text. */
function worded(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function BooleanInput({ path, schema, label, actions, value }: InputProps & { value: unknown }) {
  const { edit } = useBuilder();
  return (
    <div className={css.row}>
      <Switch
        className={css.grow}
        label={label}
        description={described(schema.description)}
        checked={value === undefined ? schema.default === true : value === true}
        onChange={(event) => {
          const { checked } = event.currentTarget;
          edit((parsed) => set(parsed, path, checked));
        }}
      />
      {actions}
    </div>
  );
}

function NumericInput({ path, schema, label, actions, value, error }: InputProps & { value: unknown; error: string | undefined }) {
  const { edit } = useBuilder();
  return (
    <div className={css.row}>
      <NumberInput
        className={css.grow}
        label={label}
        description={described(schema.description)}
        value={typeof value === "number" ? value : ""}
        placeholder={schema.default === undefined ? "" : worded(schema.default)}
        error={error}
        onChange={(typed) => typeof typed === "number" && edit((parsed) => set(parsed, path, typed), path.join("."))}
      />
      {actions}
    </div>
  );
}

/** A list: its items with what can be done with each. */
function ListInput({ path, schema, label, actions, value }: InputProps & { value: unknown }) {
  const { edit, language } = useBuilder();
  const { t } = useTranslation("builder");
  const items = Array.isArray(value) ? (value as unknown[]) : [];
  const one = schema.items ?? {};
  return (
    <Group label={label} description={described(schema.description)} actions={actions}>
      {items.map((_, place) => (
        <div className={css.item} key={place}>
          <SchemaInput
            path={[...path, place]}
            schema={one}
            label={`${label} ${place + 1}`}
            actions={
              <span className={css.tools}>
                <Tool icon={IconArrowUp} text={t("up")} disabled={place === 0} onClick={() => edit((parsed) => move(parsed, [...path, place], place - 1))} />
                <Tool icon={IconArrowDown} text={t("down")} disabled={place === items.length - 1} onClick={() => edit((parsed) => move(parsed, [...path, place], place + 1))} />
                <Tool icon={IconTrash} text={t("removeOf", { what: `${label} ${place + 1}` })} onClick={() => edit((parsed) => remove(parsed, [...path, place]))} />
              </span>
            }
          />
        </div>
      ))}
      <Button
        variant="subtle"
        size="compact-xs"
        leftSection={<IconPlus size={13} />}
        onClick={() => edit((parsed) => insert(parsed, path, items.length, another(smallest(language.root, one), items)))}
      >
        {t("addTo", { what: label })}
      </Button>
    </Group>
  );
}

/** A value that the list does not have yet, where it is a simple one. */
function another(value: unknown, items: readonly unknown[]): unknown {
  if (typeof value !== "string" || !items.includes(value)) return value;
  let number = 2;
  while (items.includes(`${value}${number}`)) number += 1;
  return `${value}${number}`;
}

/** A mapping with keys that the schema knows: those that stand there, and a choice of the others. */
export function ObjectInput({ path, schema, label, actions, bare, skip = [] }: InputProps & { bare?: boolean; skip?: readonly string[] }) {
  const { parsed, edit, language } = useBuilder();
  const { t } = useTranslation("builder");
  const words = useKeyWords();
  const value = valueAt(parsed, path);
  const there = isObject(value) ? value : {};
  const names = Object.keys(schema.properties ?? {}).filter((name) => !skip.includes(name));
  const wanted = new Set(schema.required ?? []);
  const shown = names.filter((name) => name in there || wanted.has(name));
  const unknown = Object.keys(there).filter((name) => !(name in (schema.properties ?? {})) && !skip.includes(name));
  const missing = names.filter((name) => !shown.includes(name));
  const body = (
    <>
      {shown.map((name) => (
        <SchemaInput
          key={name}
          path={[...path, name]}
          schema={schema.properties![name]!}
          label={words(name)}
          actions={
            !wanted.has(name) && (
              <span className={css.tools}>
                <Tool icon={IconTrash} text={t("removeOf", { what: words(name) })} onClick={() => edit((now) => remove(now, [...path, name]))} />
              </span>
            )
          }
        />
      ))}
      {unknown.map((name) => (
        <SchemaInput key={name} path={[...path, name]} schema={typeof schema.additionalProperties === "object" ? schema.additionalProperties : {}} label={name} actions={<Tool icon={IconTrash} text={t("removeOf", { what: name })} onClick={() => edit((now) => remove(now, [...path, name]))} />} />
      ))}
      {missing.length > 0 && (
        <Menu position="bottom-start">
          <Menu.Target>
            <Button variant="subtle" size="compact-xs" leftSection={<IconPlus size={13} />}>
              {t("more")}
            </Button>
          </Menu.Target>
          <Menu.Dropdown mah={320} className={css.menu}>
            {missing.map((name) => (
              <Menu.Item key={name} onClick={() => edit((now) => set(now, [...path, name], smallest(language.root, schema.properties![name]!), names.slice(0, names.indexOf(name))))}>
                <span className={css.choice}>
                  <strong>{words(name)}</strong>
                  <span className="quiet">{resolved(language.root, schema.properties![name]!).description}</span>
                </span>
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      )}
    </>
  );
  if (bare) return body;
  return (
    <Group label={label} description={described(schema.description)} actions={actions}>
      {body}
    </Group>
  );
}

/** A mapping with keys of one's own. */
export function MapInput({ path, schema, label, actions, value }: InputProps & { value: unknown }) {
  const { edit, language } = useBuilder();
  const { t } = useTranslation("builder");
  const names = isObject(value) ? Object.keys(value) : [];
  const one = typeof schema.additionalProperties === "object" ? schema.additionalProperties : {};
  const fresh = () => {
    let [name, number] = ["value", 1];
    while (names.includes(name)) name = `value${(number += 1)}`;
    return name;
  };
  const begin = Object.keys(one).length === 0 || partOf(one) === "template" ? "" : smallest(language.root, one);
  return (
    <Group label={label} description={described(schema.description)} actions={actions}>
      {names.map((name, place) => (
        <div className={css.item} key={place}>
          <KeyInput name={name} taken={names} onRename={(to) => edit((now) => renameKey(now, [...path, name], to), `${path.join(".")} ${place}`)} />
          <SchemaInput
            path={[...path, name]}
            schema={one}
            label={t("valueOf", { name })}
            actions={
              <span className={css.tools}>
                <Tool icon={IconTrash} text={t("removeOf", { what: name })} onClick={() => edit((now) => remove(now, [...path, name]))} />
              </span>
            }
          />
        </div>
      ))}
      <Button variant="subtle" size="compact-xs" leftSection={<IconPlus size={13} />} onClick={() => edit((now) => set(now, [...path, fresh()], begin))}>
        {t("addTo", { what: label })}
      </Button>
    </Group>
  );
}

/** Steps stand in the outline and in the graph. */
function Nested({ path, label }: InputProps) {
  const { parsed, select } = useBuilder();
  const { t } = useTranslation("builder");
  const value = valueAt(parsed, path);
  return (
    <div className={css.row}>
      <span className={css.grow}>
        {label}: {t("steps", { count: Array.isArray(value) ? value.length : 0 })}
      </span>
      <Button variant="default" size="compact-xs" onClick={() => select(path)}>
        {t("open")}
      </Button>
    </div>
  );
}

/** Whatever has no form of its own, as it is written. */
function AnyInput({ path, schema, label, actions, error }: InputProps & { error: string | undefined }) {
  const { parsed, edit } = useBuilder();
  const { t } = useTranslation("builder");
  const kept = sourceOf(parsed, path);
  const [typed, setTyped] = useState<string>();
  const shown = typed ?? kept;
  const wrong = typed !== undefined && !parse(typed).readable ? t("notYaml") : undefined;
  return (
    <div className={css.row}>
      <Textarea
        className={css.grow}
        label={label}
        description={described(schema.description)}
        value={shown}
        error={wrong ?? error}
        autosize
        minRows={1}
        maxRows={14}
        spellCheck={false}
        styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
        onChange={(event) => setTyped(event.currentTarget.value)}
        onBlur={() => {
          if (typed === undefined || wrong) return;
          if (typed !== kept) edit((now) => set(now, path, parse(typed).value));
          setTyped(undefined);
        }}
      />
      {actions}
    </div>
  );
}

/** A value as YAML: as it is written where it stands on a line, anew where it takes several. */
function sourceOf(parsed: Parameters<typeof find>[0], path: Path): string {
  const node = find(parsed, path)?.node;
  const range = rangeOf(parsed, path);
  if (!node || !range) return "";
  const text = parsed.text.slice(node.range![0], range.to);
  return text.includes("\n") ? stringify(valueAt(parsed, path)).trimEnd() : text;
}
