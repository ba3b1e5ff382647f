import { useTranslation } from "react-i18next";

const KNOWN = ["form", "upload", "consent", "message", "http", "check", "record", "email", "set", "workflow", "review", "switch", "parallel", "each", "wait", "event", "end", "fail"] as const;
type Known = (typeof KNOWN)[number];

/** What people call a kind of step; one of a plug-in has its own name. */
export function useKindWords(): (kind: string | undefined) => string {
  const { t } = useTranslation("builder");
  return (kind) => (kind === undefined ? t("noKind") : (KNOWN as readonly string[]).includes(kind) ? t(`kind.${kind as Known}`) : kind);
}

/** What people call a keyword of the schema; one that has no word here stands as it is written. */
export function useKeyWords(): (name: string) => string {
  const { t, i18n } = useTranslation("builder");
  return (name) => (i18n.exists(`builder:word.${name}`) ? t(`word.${name as "title"}`) : name);
}
