/** Parts of forms that are better made by hand: tables of records, and a message as it looks. */
import { Button, Menu, Select } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { set, valueAt } from "@/builder/edits";
import type { Path } from "@/builder/parsed";
import { localized } from "@/components/localized";
import { described, isObject } from "./inputs";
import { ObjectInput, useErrorAt, type InputProps } from "./SchemaForm";
import { useBuilder } from "./state";
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

/** A message as its receiver sees it: head and text, what is put in marked. */
export function LetterParts({ path }: { path: Path }) {
  const { parsed } = useBuilder();
  const { t, i18n } = useTranslation("builder");
  const value = valueAt(parsed, path);
  if (!isObject(value)) return null;
  const to = Array.isArray(value["to"]) ? value["to"].join(", ") : typeof value["to"] === "string" ? value["to"] : "";
  return (
    <figure className={css.letter} aria-label={t("letter")}>
      <figcaption>{t("letter")}</figcaption>
      <p className={css.letterTo}>
        {t("letterTo")} <Filled text={to} />
      </p>
      <p className={css.letterSubject}>
        <Filled text={localized(value["subject"], i18n.language)} />
      </p>
      <div className={css.letterBody}>
        <Filled text={localized(value["body"], i18n.language)} />
      </div>
    </figure>
  );
}

/** A text in which `${…}` is marked: that is where values go. */
function Filled({ text }: { text: string }) {
  return text.split(/(\$\{[^}]*\})/).map((part, place) =>
    part.startsWith("${") ? (
      <mark key={place} className={css.filled}>
        {part.slice(2, -1)}
      </mark>
    ) : (
      <span key={place}>{part}</span>
    ),
  );
}
