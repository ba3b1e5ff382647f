import { MultiSelect, Select } from "@mantine/core";
import { useRef, useState, type FocusEvent, type KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";

import { localized } from "@/components/localized";
import { RelationSelect } from "../RelationSelect";
import { titleOf, type Field } from "../types";
import { read, written } from "./cells";
import css from "./Grid.module.css";

/** Where the grid goes on behind an edit. */
export type Then = "down" | "up" | "right" | "left" | "stay";

interface Props {
  field: Field;
  value: unknown;
  /** What was typed to begin: it takes the place of the value. */
  typed: string | undefined;
  onDone: (value: unknown, then: Then) => void;
  onCancel: () => void;
}

const THEN: Record<string, [Then, Then]> = { Enter: ["down", "up"], Tab: ["right", "left"] };
const INPUTS: Record<string, string> = { email: "email", phone: "tel" };

/** A cell while it is written into, by the type of its field. */
export function CellEditor(props: Props) {
  const { field } = props;
  if (field.type === "singleSelect" || field.type === "multiselect" || field.type === "checkbox") return <ChoiceEditor {...props} />;
  if (field.type === "relation") return <RelationEditor {...props} />;
  return <TextEditor {...props} />;
}

/** What a text means to its field; what cannot be read goes as it stands, and the server names the mistake. */
function meant(field: Field, text: string): unknown {
  const found = read(field, text);
  return "value" in found ? found.value : text;
}

function TextEditor({ field, value, typed, onDone, onCancel }: Props) {
  const { i18n } = useTranslation("grid");
  const before = written(field, value);
  const [text, setText] = useState(typed ?? before);
  const ended = useRef(false);
  const isLong = ["text", "json", "array", "attachment"].includes(field.type);
  const end = (then: Then) => {
    if (ended.current) return;
    ended.current = true;
    onDone(text === before ? value : meant(field, text), then);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Escape") {
      event.preventDefault();
      ended.current = true;
      onCancel();
      return;
    }
    const then = THEN[event.key];
    if (!then || (event.key === "Enter" && isLong && (event.shiftKey || event.altKey))) return;
    event.preventDefault();
    end(event.shiftKey ? then[1] : then[0]);
  };
  const shared = {
    "aria-label": titleOf(field, i18n.language),
    autoFocus: true,
    value: text,
    onKeyDown,
    onBlur: () => end("stay"),
    onFocus: (event: FocusEvent<HTMLInputElement | HTMLTextAreaElement>) => typed === undefined && event.currentTarget.select(),
  };
  if (isLong && (text.length > 40 || text.includes("\n") || field.type !== "text")) {
    return <textarea {...shared} className={css.longInput} rows={5} spellCheck={field.type === "text"} onChange={(event) => setText(event.currentTarget.value)} />;
  }
  return (
    <input
      {...shared}
      className={css.input}
      type={INPUTS[field.type] ?? "text"}
      inputMode={field.type === "number" || field.type === "integer" ? "decimal" : undefined}
      placeholder={field.type === "date" ? "2026-03-31" : field.type === "datetime" ? "2026-03-31 14:05" : undefined}
      autoComplete="off"
      onChange={(event) => setText(event.currentTarget.value)}
    />
  );
}

function ChoiceEditor({ field, value, typed, onDone, onCancel }: Props) {
  const { t, i18n } = useTranslation("grid");
  const label = titleOf(field, i18n.language);
  const [several, setSeveral] = useState<string[]>(Array.isArray(value) ? value.map(String) : []);
  const data =
    field.type === "checkbox"
      ? [
          { value: "true", label: t("yes") },
          { value: "false", label: t("no") },
        ]
      : (field.options ?? []).map((option) => ({ value: option.value, label: localized(option.title, i18n.language) || option.value }));
  const keys = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.key === "Escape") {
      event.preventDefault();
      onCancel();
    } else if (event.key === "Tab") {
      event.preventDefault();
      onDone(field.type === "multiselect" ? several : value, event.shiftKey ? "left" : "right");
    }
  };
  if (field.type === "multiselect") {
    return (
      <MultiSelect
        className={css.select}
        aria-label={label}
        data={data}
        value={several}
        onChange={setSeveral}
        defaultDropdownOpened
        searchable
        autoFocus
        onKeyDown={keys}
        onBlur={() => onDone(several, "stay")}
      />
    );
  }
  const chosen = (next: string | null) => onDone(field.type === "checkbox" ? (next === null ? null : next === "true") : next, "stay");
  return (
    <Select
      className={css.select}
      aria-label={label}
      data={data}
      value={value === null || value === undefined ? null : typeof value === "boolean" ? String(value) : (value as string)}
      onChange={chosen}
      defaultDropdownOpened
      selectFirstOptionOnChange
      searchable
      {...(typed !== undefined && { defaultSearchValue: typed })}
      autoFocus
      clearable={false}
      allowDeselect={false}
      onKeyDown={keys}
      onBlur={onCancel}
    />
  );
}

function RelationEditor({ field, value, typed, onDone, onCancel }: Props) {
  const { i18n } = useTranslation("grid");
  return (
    <RelationSelect
      table={field.table ?? ""}
      value={typeof value === "string" ? value : null}
      typed={typed}
      className={css.select}
      aria-label={titleOf(field, i18n.language)}
      opened
      onChange={(next) => onDone(next, "stay")}
      onBlur={onCancel}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key !== "Escape" && event.key !== "Tab") return;
        event.preventDefault();
        if (event.key === "Tab") onDone(value, event.shiftKey ? "left" : "right");
        else onCancel();
      }}
    />
  );
}
