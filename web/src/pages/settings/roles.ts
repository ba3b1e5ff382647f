import { useTranslation } from "react-i18next";

const KNOWN = ["owner", "admin", "member", "operator", "reviewer", "developer", "viewer"] as const;

/** What a role is called and is for, in the person's language; an organization's own role goes by its own name. */
export function useRoleText(): (id: string) => { name: string; description?: string } {
  const { t } = useTranslation("settings");
  return (id) => {
    const known = KNOWN.find((name) => name === id);
    return known ? { name: t(`role.${known}.name`), description: t(`role.${known}.text`) } : { name: id };
  };
}
