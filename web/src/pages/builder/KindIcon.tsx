import {
  IconArrowsSplit,
  IconBell,
  IconBox,
  IconClock,
  IconDatabase,
  IconFileText,
  IconFlag,
  IconFolder,
  IconForms,
  IconGitBranch,
  IconLayoutColumns,
  IconMail,
  IconMessage,
  IconRepeat,
  IconShieldCheck,
  IconSignature,
  IconUpload,
  IconUserCheck,
  IconVariable,
  IconWorld,
  IconX,
  type TablerIcon,
} from "@tabler/icons-react";

const ICONS: Record<string, TablerIcon> = {
  form: IconForms,
  upload: IconUpload,
  consent: IconSignature,
  message: IconMessage,
  http: IconWorld,
  check: IconShieldCheck,
  record: IconDatabase,
  email: IconMail,
  set: IconVariable,
  workflow: IconGitBranch,
  review: IconUserCheck,
  switch: IconArrowsSplit,
  parallel: IconLayoutColumns,
  each: IconRepeat,
  wait: IconClock,
  event: IconBell,
  end: IconFlag,
  fail: IconX,
  branch: IconFolder,
  definition: IconFileText,
};

/** The sign of a kind of step; `branch` and `definition` have theirs as well. */
export function KindIcon({ kind, size = 15 }: { kind: string | undefined; size?: number }) {
  const Icon = ICONS[kind ?? ""] ?? IconBox;
  return <Icon size={size} aria-hidden />;
}
