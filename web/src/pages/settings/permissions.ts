/** How permissions are shown: grouped by what they are about. */
export const GROUPS = {
  data: [
    "can_read_data",
    "can_edit_data",
    "can_read_attachments",
    "can_edit_attachments",
    "can_comment",
    "can_read_personal_data",
    "can_erase",
    "can_manage_tables",
  ],
  work: ["can_run", "can_view_executions", "can_operate_executions", "can_review", "can_manage_links"],
  building: [
    "can_view_workspace",
    "can_manage_definitions",
    "can_publish_definitions",
    "can_manage_themes",
    "can_manage_lists",
    "can_view_webhooks",
    "can_manage_webhooks",
  ],
  administration: [
    "can_manage_secrets",
    "can_manage_keys",
    "can_manage_retention",
    "can_view_audit",
    "can_view_operations",
    "can_manage_users",
    "can_reset_2fa",
    "can_manage_workspace_access",
  ],
} as const;

export type Group = keyof typeof GROUPS;
export type Known = (typeof GROUPS)[Group][number];

const KNOWN = new Set<string>(Object.values(GROUPS).flat());

export function isKnown(permission: string): permission is Known {
  return KNOWN.has(permission);
}

export interface Grouped<One> {
  group: Group | "more";
  permissions: One[];
}

/** What the server offers, grouped; what this page does not know comes last. */
export function grouped<One extends { permission: string }>(offered: readonly One[]): Grouped<One>[] {
  const byName = new Map(offered.map((one) => [one.permission, one]));
  const groups: Grouped<One>[] = (Object.keys(GROUPS) as Group[]).map((group) => ({
    group,
    permissions: GROUPS[group].flatMap((name) => byName.get(name) ?? []),
  }));
  groups.push({ group: "more", permissions: offered.filter((one) => !isKnown(one.permission)) });
  return groups.filter(({ permissions }) => permissions.length > 0);
}
