import { useTranslation } from "react-i18next";

import { Time } from "@/components/Time";
import { localized } from "@/components/localized";
import type { Field } from "./types";

/** A field's value, to be read. */
export function FieldValue({ field, value }: { field: Field; value: unknown }) {
  const { t, i18n } = useTranslation("records");
  if (value === null || value === undefined || value === "") return <span className="quiet">–</span>;
  if (field.type === "checkbox") return value === true ? t("value.yes") : t("value.no");
  if (field.type === "datetime" && typeof value === "string") return <Time at={value} />;
  if (field.type === "date" && typeof value === "string") return <span className="numbers">{value}</span>;
  if (typeof value === "number") return <span className="numbers">{new Intl.NumberFormat(i18n.language, { maximumFractionDigits: 20 }).format(value)}</span>;
  if (field.options && typeof value === "string") return optionTitle(field, value, i18n.language);
  if (field.options && Array.isArray(value)) return value.map((one) => optionTitle(field, String(one), i18n.language)).join(", ");
  if (typeof value === "object") return <span className="mono">{JSON.stringify(value)}</span>;
  return typeof value === "string" ? value : JSON.stringify(value);
}

function optionTitle(field: Field, value: string, language: string): string {
  const option = field.options?.find((one) => one.value === value);
  return localized(option?.title, language) || value;
}
