import { useTranslation } from "react-i18next";

/** What people call an outcome: it is a word of the definition's author, and the common ones have ours. */
export function useOutcomeWords(): (outcome: string) => string {
  const { t } = useTranslation("reviews");
  return (outcome) =>
    outcome === "approve" || outcome === "reject" ? t(`outcome.${outcome}`) : outcome.charAt(0).toUpperCase() + outcome.slice(1).replace(/[_-]/g, " ");
}
