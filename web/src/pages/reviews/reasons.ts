/** Why a check did not pass, in the person's language: by the reason's code, which is stable. */
import { useTranslation } from "react-i18next";

export interface Reason {
  code: string;
  /** The API's own, in English. */
  message: string;
  params?: Readonly<Record<string, string>>;
}

/** Checks of national and company numbers give the same reasons. */
const OF_NUMBERS = new Set(["company-number", "personal-number", "company-register"]);

/** Says a reason of a check; one of another package's check stays as the API says it. */
export function useReasonWords(): (check: string, reason: Reason) => string {
  const { t, i18n } = useTranslation("reviews");
  return (check, { code, message, params }) => {
    const places = [`reason.${check}.${code}`, ...(OF_NUMBERS.has(check) ? [`reason.number.${code}`] : [])];
    const { count, field, ...named } = params ?? {};
    const options = {
      ...named,
      ...(count !== undefined && { count: Number(count) }),
      ...(field !== undefined && { field: t(`reason.field.${field as "surname"}`) }),
    };
    const found = places.find((place) => i18n.exists(`reviews:${place}`, options));
    return found === undefined ? message : t(found as "reason.iban.FORMAT", options);
  };
}
