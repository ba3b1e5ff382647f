/** Parts of forms that are better made by hand: what the workspace has to choose from, and texts in Markdown. */
import { Button, Menu, Select } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { set, valueAt } from "@/builder/edits";
import { fitting, typesOf, type Schema } from "@/builder/schema";
import { definitionChoiceQuery } from "@/components/definitions";
import { described, isObject } from "./inputs";
import { MapInput, ObjectInput, useErrorAt, type InputProps } from "./SchemaForm";
import { RichText } from "./RichText";
import { useBuilder } from "./state";
import { TextsInput, type LineProps } from "./TextsInput";
import css from "./Builder.module.css";

/** A table of the workspace. */
export function TableChoice(props: InputProps) {
  const { tables } = useBuilder();
  return <Choice {...props} offered={tables.map((one) => one.name)} />;
}

/** Another definition of the workspace. */
export function DefinitionChoice(props: InputProps) {
  const { data } = useQuery(definitionChoiceQuery);
  return <Choice {...props} offered={(data?.data ?? []).map((one) => one.name)} />;
}

/** A check that is installed. */
export function CheckChoice(props: InputProps) {
  return <Choice {...props} offered={(props.schema.examples ?? []).map(String)} />;
}

/** What the named check takes; of one that is not installed, what stands there. */
export function CheckInputs({ path, schema, label, actions }: InputProps) {
  const { parsed, language } = useBuilder();
  const check = language.kinds.get("check")!;
  const taken = fitting(check, valueAt(parsed, path.slice(0, -1))).properties!["with"]!;
  if (!taken.properties) return <MapInput path={path} schema={schema} label={label} actions={actions} value={valueAt(parsed, path)} />;
  const there = valueAt(parsed, path);
  const properties = Object.fromEntries(Object.entries(taken.properties).map(([name, one]) => [name, templated(one, isObject(there) ? there[name] : undefined)]));
  return <ObjectInput path={path} schema={{ ...schema, required: taken.required ?? [], properties }} label={label} actions={actions} />;
}

/** An input that may be a template: of a list, the whole or each item. */
function templated({ anyOf, description }: Schema, value: unknown): Schema {
  const own = anyOf![0]!;
  if (typesOf(own).includes("array") && typeof value !== "string") return { ...own, type: "array", items: { $ref: "#/$defs/template", default: "" } };
  return { $ref: "#/$defs/template", default: own.default ?? "", ...(description && { description }) };
}

/** One of those that are there, or what stands there already. */
function Choice({ path, schema, label, actions, offered }: InputProps & { offered: readonly string[] }) {
  const { parsed, edit } = useBuilder();
  const value = valueAt(parsed, path);
  const error = useErrorAt(path);
  const names = typeof value === "string" && !offered.includes(value) ? [...offered, value] : [...offered];
  return (
    <div className={css.row}>
      <Select className={css.grow} label={label} description={described(schema.description)} data={names} value={typeof value === "string" ? value : null} allowDeselect={false} searchable error={error} onChange={(chosen) => chosen !== null && edit((now) => set(now, path, chosen))} />
      {actions}
    </div>
  );
}

/** The values of a record's fields: a choice of those that the table has and that are not there yet. */
export function RecordValues({ path, schema, label, actions }: InputProps) {
  const { parsed, edit, drawn, tables } = useBuilder();
  const { t } = useTranslation("builder");
  const own = valueAt(parsed, [...path.slice(0, -1), "table"]);
  const root = drawn.value as { record?: { table?: unknown } } | undefined;
  const table = tables.find((one) => one.name === (own ?? root?.record?.table));
  const value = valueAt(parsed, path);
  const missing = table?.fields.filter((field) => !isObject(value) || !(field.name in value)) ?? [];
  return (
    <>
      <ObjectInput path={path} schema={{ ...schema, properties: {} }} label={label} actions={actions} />
      {table && missing.length > 0 && (
        <Menu position="bottom-start">
          <Menu.Target>
            <Button variant="subtle" size="compact-xs" leftSection={<IconPlus size={13} />}>
              {t("addTableField", { table: table.name })}
            </Button>
          </Menu.Target>
          <Menu.Dropdown mah={320} className={css.menu}>
            {missing.map((field) => (
              <Menu.Item key={field.name} onClick={() => edit((now) => set(now, [...path, field.name], ""))}>
                {field.name}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      )}
    </>
  );
}

/** The text of an e-mail: who formats it says with the first button that it is Markdown. */
export function LetterText(props: InputProps) {
  const error = useErrorAt(props.path);
  return <TextsInput {...props} error={error} line={LetterLine} />;
}

function LetterLine(props: LineProps) {
  const { edit, step } = useBuilder();
  const written = step ? [...step.path, "email", "format"] : [];
  return <RichText {...props} onFormatted={() => edit((now) => set(now, written, "markdown", ["to", "subject", "body"]))} />;
}

/** A text of a page in Markdown. */
export function PageText(props: InputProps) {
  const error = useErrorAt(props.path);
  return <TextsInput {...props} error={error} line={RichText} />;
}
