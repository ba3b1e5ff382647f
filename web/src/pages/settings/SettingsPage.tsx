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
import { useSuspenseQuery } from "@tanstack/react-query";
import { Link, Outlet, type LinkProps } from "@tanstack/react-router";
import type { ParseKeys } from "i18next";
import { Suspense } from "react";
import { useTranslation } from "react-i18next";

import { permissionsQuery } from "@/app/auth";
import { Loading } from "@/components/Loading";
import { ProofHost } from "./proof";
import css from "./Settings.module.css";

interface Section {
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

/** The sections of the settings beside the one that is open. */
export function SettingsPage() {
  const { t } = useTranslation(["settings", "admin"]);
  const { permissions } = useSuspenseQuery(permissionsQuery).data;
  return (
    <div className={css.page}>
      <nav aria-label={t("title")} className={css.side}>
        {shownTo(permissions).map((group) => (
          <div key={group.title}>
            <p className={css.group}>{t(group.title)}</p>
            <ul>
              {group.sections.map(({ to, text, icon: Icon }) => (
                <li key={to}>
                  <Link to={to} className={css.section} activeProps={{ "data-active": true, "aria-current": "page" }}>
                    <Icon size={16} stroke={1.7} aria-hidden />
                    {t(text)}
                  </Link>
                </li>
              ))}
            </ul>
          </div>
        ))}
      </nav>
      <div className={css.content}>
        <Suspense fallback={<Loading />}>
          <Outlet />
        </Suspense>
      </div>
      <ProofHost />
    </div>
  );
}

/** The groups with the sections that have something to show to somebody. */
function shownTo(permissions: ReadonlySet<string>): typeof GROUPS {
  return GROUPS.map((group) => ({ ...group, sections: group.sections.filter(({ needs }) => needs === undefined || permissions.has(needs)) })).filter(
    ({ sections }) => sections.length > 0,
  );
}
