import { ActionIcon, Button, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconFilterPlus, IconSearch, IconX } from "@tabler/icons-react";
import type { TFunction } from "i18next";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { localized } from "@/components/localized";
import { operatorsOf, type Condition, type RecordsSearch } from "./search";
import { titleOf, type Field } from "./types";
import css from "./Records.module.css";

interface Props {
  fields: readonly Field[];
  search: RecordsSearch;
  onChange: (search: RecordsSearch) => void;
  /** What else stands before the filters, and behind them. */
  before?: ReactNode;
  children?: ReactNode;
}

/** What records are narrowed and ordered by. */
export function RecordFilters({ fields, search, onChange, before, children }: Props) {
  const { t, i18n } = useTranslation("records");
  const [text, setText] = useState(search.text ?? "");
  const later = useDebouncedCallback((typed: string) => onChange(without(search, "text", typed && { text: typed })), 350);
  const where = search.where ?? [];
  const setWhere = (next: Condition[]) => onChange(without(search, "where", next.length > 0 && { where: next }));
  const [first] = fields;
  return (
    <div className={css.filters} role="search" aria-label={t("filter.name")}>
      {before}
      <TextInput
        type="search"
        aria-label={t("search")}
        placeholder={t("search")}
        leftSection={<IconSearch size={15} />}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          later(event.currentTarget.value.trim());
        }}
      />
      <Select
        aria-label={t("sort.name")}
        placeholder={t("sort.name")}
        data={fields.filter((field) => field.indexed || field.unique || field.name === search.sort?.replace(/^-/, "")).flatMap((field) => orders(field, titleOf(field, i18n.language), t))}
        value={search.sort ?? null}
        onChange={(sort) => onChange(without(search, "sort", sort && { sort }))}
        clearable
      />
      {where.map((condition, place) => (
        <ConditionRow
          key={place}
          fields={fields}
          condition={condition}
          onChange={(next) => setWhere(where.map((one, at) => (at === place ? next : one)))}
          onRemove={() => setWhere(where.filter((_, at) => at !== place))}
        />
      ))}
      {first && (
        <Button
          variant="subtle"
          leftSection={<IconFilterPlus size={15} />}
          onClick={() => setWhere([...where, { field: first.name, op: operatorsOf(first)[0] ?? "isEmpty", value: "" }])}
        >
          {t("filter.add")}
        </Button>
      )}
      {children}
    </div>
  );
}

interface RowProps {
  fields: readonly Field[];
  condition: Condition;
  onChange: (condition: Condition) => void;
  onRemove: () => void;
}

function ConditionRow({ fields, condition, onChange, onRemove }: RowProps) {
  const { t, i18n } = useTranslation("records");
  const field = fields.find((one) => one.name === condition.field);
  const [value, setValue] = useState(condition.value);
  const later = useDebouncedCallback((typed: string) => onChange({ ...condition, value: typed }), 350);
  const choose = (name: string | null) => {
    const chosen = fields.find((one) => one.name === name);
    if (!chosen) return;
    setValue("");
    onChange({ field: chosen.name, op: operatorsOf(chosen)[0] ?? "isEmpty", value: "" });
  };
  const choices = field?.type === "checkbox" ? ["true", "false"] : field?.options?.map((option) => option.value);
  return (
    <div className={css.condition} role="group" aria-label={t("filter.one")}>
      <Select
        aria-label={t("filter.field")}
        data={fields.map((one) => ({ value: one.name, label: titleOf(one, i18n.language) }))}
        value={condition.field}
        onChange={choose}
        allowDeselect={false}
        searchable
      />
      <Select
        aria-label={t("filter.operator")}
        data={(field ? operatorsOf(field) : []).map((op) => ({ value: op, label: t(`operator.${op}`) }))}
        value={condition.op}
        onChange={(op) => op && onChange({ ...condition, op: op })}
        allowDeselect={false}
      />
      {condition.op !== "isEmpty" &&
        (choices ? (
          <Select
            aria-label={t("filter.value")}
            data={choices.map((one) => ({ value: one, label: choiceTitle(field, one, i18n.language, t) }))}
            value={condition.value || null}
            onChange={(chosen) => onChange({ ...condition, value: chosen ?? "" })}
          />
        ) : (
          <TextInput
            aria-label={t("filter.value")}
            type={field?.type === "date" ? "date" : "text"}
            autoFocus={value === ""}
            value={value}
            onChange={(event) => {
              setValue(event.currentTarget.value);
              later(event.currentTarget.value);
            }}
          />
        ))}
      <ActionIcon variant="subtle" color="gray" aria-label={t("filter.remove")} onClick={onRemove}>
        <IconX size={15} />
      </ActionIcon>
    </div>
  );
}

function orders(field: Field, title: string, t: TFunction<"records">): { value: string; label: string }[] {
  return [
    { value: field.name, label: t("sort.up", { field: title }) },
    { value: `-${field.name}`, label: t("sort.down", { field: title }) },
  ];
}

function choiceTitle(field: Field | undefined, value: string, language: string, t: TFunction<"records">): string {
  if (field?.type === "checkbox") return value === "true" ? t("value.yes") : t("value.no");
  return localized(field?.options?.find((option) => option.value === value)?.title, language) || value;
}

/** The search with one member set anew, or gone. */
function without(search: RecordsSearch, name: keyof RecordsSearch, set: Partial<RecordsSearch> | "" | false | null): RecordsSearch {
  const next = { ...search };
  delete next[name];
  return { ...next, ...(set || {}) };
}
