import { Button, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { definitionChoiceQuery } from "@/components/definitions";
import { SavedViews } from "@/components/SavedViews";
import { localized } from "@/components/localized";
import { readSearch, STATUSES, WAITS, type ExecutionSearch, type StatusName } from "./search";
import css from "./Executions.module.css";

interface Props {
  search: ExecutionSearch;
  onChange: (search: ExecutionSearch) => void;
}

/** What the list is narrowed by; it stands in the address. */
export function ExecutionFilters({ search, onChange }: Props) {
  const { t, i18n } = useTranslation(["executions", "common"]);
  const { data: definitions } = useQuery(definitionChoiceQuery);
  const set = (name: keyof ExecutionSearch, value: string | null) => {
    const next = { ...search };
    if (value) Object.assign(next, { [name]: value });
    else delete next[name];
    // A revision is one of its definition.
    if (name === "definition") delete next.revision;
    onChange(next);
  };
  return (
    <div className={css.filters} role="search" aria-label={t("filter.name")}>
      <SavedViews page="/executions" search={search} onChosen={(kept) => onChange(readSearch(kept))} />
      <Select
        aria-label={t("column.status")}
        placeholder={t("column.status")}
        data={STATUSES.map((value: StatusName) => ({ value, label: t(`common:status.${value}`) }))}
        value={search.status ?? null}
        onChange={(value) => set("status", value)}
        clearable
      />
      <Select
        aria-label={t("filter.definition")}
        placeholder={t("filter.definition")}
        data={(definitions?.data ?? []).map((one) => ({ value: one.id, label: localized(one.title, i18n.language) || one.name }))}
        value={search.definition ?? null}
        onChange={(value) => set("definition", value)}
        searchable
        clearable
      />
      <Select
        aria-label={t("filter.waiting")}
        placeholder={t("filter.waiting")}
        data={WAITS.map((value) => ({ value, label: t(`waiting.${value}`) }))}
        value={search.waiting ?? null}
        onChange={(value) => set("waiting", value)}
        clearable
      />
      {search.definition && (
        <Typed
          key={`v${search.revision ?? ""}`}
          label={t("filter.revision")}
          value={String(search.revision ?? "")}
          onChange={(value) => onChange(readSearch({ ...search, revision: Number(value) }))}
        />
      )}
      <Typed key={`s${search.step ?? ""}`} label={t("filter.step")} value={search.step ?? ""} onChange={(value) => set("step", value)} />
      <Typed key={`e${search.error ?? ""}`} label={t("filter.error")} value={search.error ?? ""} onChange={(value) => set("error", value)} />
      <Typed key={`r${search.record ?? ""}`} label={t("filter.record")} value={search.record ?? ""} onChange={(value) => set("record", value)} />
      <TextInput
        type="date"
        aria-label={t("filter.from")}
        title={t("filter.from")}
        leftSection={<span aria-hidden>{t("filter.fromShort")}</span>}
        leftSectionWidth="3rem"
        value={search.from ?? ""}
        onChange={(event) => set("from", event.currentTarget.value)}
      />
      <TextInput
        type="date"
        aria-label={t("filter.until")}
        title={t("filter.until")}
        leftSection={<span aria-hidden>{t("filter.untilShort")}</span>}
        leftSectionWidth="3rem"
        value={search.until ?? ""}
        onChange={(event) => set("until", event.currentTarget.value)}
      />
      {Object.keys(search).length > 0 && (
        <Button variant="subtle" onClick={() => onChange({})}>
          {t("filter.clear")}
        </Button>
      )}
    </div>
  );
}

/** A text that narrows a moment after it was typed. */
function Typed({ label, value, onChange }: { label: string; value: string; onChange: (value: string) => void }) {
  const [text, setText] = useState(value);
  const later = useDebouncedCallback(onChange, 400);
  return (
    <TextInput
      aria-label={label}
      placeholder={label}
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value);
        later(event.currentTarget.value.trim());
      }}
    />
  );
}
