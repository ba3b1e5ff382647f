import { Checkbox, Input, MultiSelect, Select, Textarea, TextInput } from "@mantine/core";
import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";

import { localized } from "@/components/localized";
import { FilesSelect } from "./FilesSelect";
import { RelationSelect } from "./RelationSelect";
import { titleOf, type Field } from "./types";

interface Props {
  field: Field;
  /** What was typed, or is there. */
  value: unknown;
  onChange: (value: unknown) => void;
  error?: string | undefined;
  /** The record whose files a field of files may name; none where it is new. */
  of?: { table: string; recordId: string } | undefined;
}

/** Asks for a field's value by its type. What is typed is kept as typed; the server says what it is not. */
export function FieldInput({ field, value, onChange, error, of }: Props) {
  const { t, i18n } = useTranslation("records");
  const shared = { label: titleOf(field, i18n.language), description: hintOf(field, t), error, withAsterisk: field.required ?? false };
  const text = plain(value);
  if (field.type === "checkbox") {
    return (
      <Checkbox
        label={shared.label}
        description={shared.description}
        error={error}
        checked={value === true}
        indeterminate={value === null || value === undefined}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
    );
  }
  if (field.options && field.type === "multiselect") {
    return <MultiSelect {...shared} data={choices(field, i18n.language)} value={Array.isArray(value) ? value.map(String) : []} onChange={onChange} searchable clearable />;
  }
  if (field.options && field.type === "singleSelect") {
    return <Select {...shared} data={choices(field, i18n.language)} value={text || null} onChange={onChange} searchable clearable />;
  }
  if (field.type === "relation" && field.table) return <RelationSelect {...shared} description={undefined} table={field.table} value={text || null} onChange={onChange} />;
  // The files themselves are under their own tab; the field names those that belong to it.
  if (field.type === "attachment") return of ? <FilesSelect {...shared} {...of} value={Array.isArray(value) ? value.map(String) : []} onChange={onChange} /> : <Input.Wrapper {...shared} />;
  if (field.type === "json" || field.type === "array" || field.type === "multiselect") {
    const shown = typeof value === "string" ? value : value === null || value === undefined ? "" : JSON.stringify(value, null, 2);
    return <Textarea {...shared} value={shown} onChange={(event) => onChange(event.currentTarget.value)} autosize minRows={2} maxRows={14} classNames={{ input: "mono" }} />;
  }
  const long = field.type === "text" && text.length > 80;
  if (long) return <Textarea {...shared} value={text} onChange={(event) => onChange(event.currentTarget.value)} autosize maxRows={12} />;
  return <TextInput {...shared} type={INPUT_TYPES[field.type] ?? "text"} value={text} onChange={(event) => onChange(event.currentTarget.value)} />;
}

function plain(value: unknown): string {
  return typeof value === "string" ? value : typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}

const INPUT_TYPES: Record<string, string> = { email: "email", phone: "tel", date: "date" };

function hintOf(field: Field, t: TFunction<"records">): string | undefined {
  if (field.type === "datetime") return t("hint.datetime");
  if (field.type === "attachment") return t("hint.files");
  if (field.type === "json" || field.type === "array") return t("hint.json");
  if (field.type === "relation") return t("hint.relation", { table: field.table ?? "" });
  return undefined;
}

function choices(field: Field, language: string): { value: string; label: string }[] {
  return (field.options ?? []).map((option) => ({ value: option.value, label: localized(option.title, language) || option.value }));
}
