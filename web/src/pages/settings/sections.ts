/** The parts of the settings, and who has something to see there. */
import {
  IconAdjustments,
  IconApi,
  IconClockHour4,
  IconEraser,
  IconFingerprint,
  IconGauge,
  IconHeartbeat,
  IconHistory,
  IconKey,
  IconListSearch,
  IconLock,
  IconMail,
  IconMailCog,
  IconShieldLock,
  IconUser,
  IconUserCheck,
  IconUserPlus,
  IconUsers,
  type TablerIcon,
} from "@tabler/icons-react";
import type { LinkProps } from "@tanstack/react-router";
import type { ParseKeys } from "i18next";

export interface Section {
  to: NonNullable<LinkProps["to"]>;
  text: ParseKeys<["settings", "admin"]>;
  icon: TablerIcon;
  /** Without this permission the section has nothing to show. */
  needs?: string;
}

const GROUPS: readonly { title: ParseKeys<["settings", "admin"]>; sections: readonly Section[] }[] = [
  { title: "group.you", sections: [{ to: "/settings/account", text: "account.title", icon: IconUser }] },
  {
    title: "group.workspace",
    sections: [
      { to: "/settings/workspace", text: "admin:workspace.title", icon: IconAdjustments },
      { to: "/settings/access", text: "admin:access.title", icon: IconUserPlus, needs: "can_manage_workspace_access" },
      { to: "/settings/roles", text: "admin:roles.title", icon: IconShieldLock },
      { to: "/settings/keys", text: "keys.title", icon: IconKey, needs: "can_manage_keys" },
      { to: "/settings/secrets", text: "secrets.title", icon: IconLock, needs: "can_manage_secrets" },
      { to: "/settings/publishing", text: "publishing.title", icon: IconUserCheck },
      { to: "/settings/lists", text: "admin:lists.title", icon: IconListSearch },
      { to: "/settings/audit", text: "audit", icon: IconHistory },
      { to: "/settings/api", text: "admin:api.title", icon: IconApi },
      { to: "/settings/limits", text: "admin:limits.title", icon: IconGauge },
      { to: "/settings/retention", text: "admin:retention.title", icon: IconClockHour4 },
      { to: "/settings/erasure", text: "admin:erasure.title", icon: IconEraser, needs: "can_erase" },
    ],
  },
  {
    title: "group.organization",
    sections: [
      { to: "/settings/members", text: "members.title", icon: IconUsers, needs: "can_manage_users" },
      { to: "/settings/invitations", text: "invitations.title", icon: IconMail, needs: "can_manage_users" },
      { to: "/settings/single-sign-on", text: "admin:sso.title", icon: IconFingerprint, needs: "can_manage_users" },
    ],
  },
  {
    title: "admin:group.installation",
    sections: [
      { to: "/settings/health", text: "admin:health.title", icon: IconHeartbeat, needs: "can_view_operations" },
      { to: "/settings/mail", text: "admin:mail.title", icon: IconMailCog, needs: "can_view_operations" },
    ],
  },
];

/** The groups with the sections that have something to show to somebody. */
export function shownTo(permissions: ReadonlySet<string>): typeof GROUPS {
  return GROUPS.map((group) => ({ ...group, sections: group.sections.filter(({ needs }) => needs === undefined || permissions.has(needs)) })).filter(
    ({ sections }) => sections.length > 0,
  );
}
