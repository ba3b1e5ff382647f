import { Button, Select, TextInput } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { TypedFilter } from "@/components/TypedFilter";
import { OUTCOMES, type AuditSearch } from "./auditSearch";
import css from "./Audit.module.css";

interface Props {
  search: AuditSearch;
  onChange: (search: AuditSearch) => void;
}

const TYPED = ["text", "action", "kind", "actor", "object"] as const;

/** What the audit is narrowed by; it stands in the address. */
export function AuditFilters({ search, onChange }: Props) {
  const { t } = useTranslation("audit");
  const set = (name: keyof AuditSearch, value: string | null) => {
    const next = { ...search };
    if (value) Object.assign(next, { [name]: value });
    else delete next[name];
    onChange(next);
  };
  const narrowed = Object.keys(search).some((name) => name !== "of");
  return (
    <div className={css.filters} role="search" aria-label={t("filter.name")}>
      {TYPED.map((name) => (
        <TypedFilter key={name} label={t(`filter.${name}`)} value={search[name] ?? ""} onChange={(value) => set(name, value)} />
      ))}
      <Select
        aria-label={t("outcome")}
        placeholder={t("outcome")}
        data={OUTCOMES.map((value) => ({ value, label: t(`outcomes.${value}`) }))}
        value={search.outcome ?? null}
        onChange={(value) => set("outcome", value)}
        clearable
      />
      {(["from", "until"] as const).map((name) => (
        <TextInput
          key={name}
          type="date"
          aria-label={t(`filter.${name}`)}
          title={t(`filter.${name}`)}
          leftSection={<span aria-hidden>{t(`filter.${name}Short`)}</span>}
          leftSectionWidth="3rem"
          value={search[name] ?? ""}
          onChange={(event) => set(name, event.currentTarget.value)}
        />
      ))}
      {narrowed && (
        <Button variant="subtle" onClick={() => onChange(search.of ? { of: search.of } : {})}>
          {t("filter.clear")}
        </Button>
      )}
    </div>
  );
}
