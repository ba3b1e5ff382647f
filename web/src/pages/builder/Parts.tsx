/** Parts of forms that are better made by hand: tables of records, and texts in Markdown. */
import { Button, Menu, Select } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { set, valueAt } from "@/builder/edits";
import { described, isObject } from "./inputs";
import { ObjectInput, useErrorAt, type InputProps } from "./SchemaForm";
import { RichText } from "./RichText";
import { useBuilder } from "./state";
import { TextsInput, type LineProps } from "./TextsInput";
import css from "./Builder.module.css";

/** A table of the workspace. */
export function TableChoice({ path, schema, label, actions }: InputProps) {
  const { parsed, edit, tables } = useBuilder();
  const value = valueAt(parsed, path);
  const error = useErrorAt(path);
  const names = tables.map((one) => one.name);
  if (typeof value === "string" && !names.includes(value)) names.push(value);
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
