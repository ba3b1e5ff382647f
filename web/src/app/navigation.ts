import {
  IconBook2,
  IconChecklist,
  IconDatabase,
  IconGitBranch,
  IconHome,
  IconLink,
  IconPlayerPlay,
  IconSettings,
  IconWebhook,
  type TablerIcon,
} from "@tabler/icons-react";
import type { ParseKeys } from "i18next";

import { under } from "./prefix";

export interface Destination {
  to: "/" | "/reviews" | "/records" | "/executions" | "/definitions" | "/links" | "/webhooks" | "/settings";
  text: ParseKeys;
  icon: TablerIcon;
  /** Goes there after `g`. */
  key: string;
}

/** The pages of the navigation, in its order. */
export const DESTINATIONS: readonly Destination[] = [
  { to: "/", text: "nav.today", icon: IconHome, key: "t" },
  { to: "/reviews", text: "nav.reviews", icon: IconChecklist, key: "r" },
  { to: "/records", text: "nav.records", icon: IconDatabase, key: "c" },
  { to: "/executions", text: "nav.executions", icon: IconPlayerPlay, key: "e" },
  { to: "/definitions", text: "nav.definitions", icon: IconGitBranch, key: "d" },
  { to: "/links", text: "nav.links", icon: IconLink, key: "l" },
  { to: "/webhooks", text: "nav.webhooks", icon: IconWebhook, key: "w" },
  { to: "/settings", text: "nav.settings", icon: IconSettings, key: "s" },
];

/** The API's reference, a page of its own. */
export const DOCS = { href: under("/docs"), text: "nav.docs", icon: IconBook2 } as const;
