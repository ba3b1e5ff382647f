import {
  IconAlertTriangle,
  IconBan,
  IconCheck,
  IconCircleDashed,
  IconClockPause,
  IconHourglassOff,
  IconPlayerPlay,
  type TablerIcon,
} from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import css from "./Status.module.css";

export type ExecutionStatus = "RUNNING" | "AWAITING" | "COMPLETED" | "FAILED" | "EXPIRED" | "CANCELLED";
type Tone = "good" | "bad" | "warn" | "busy" | "quiet";

const LOOKS: Record<ExecutionStatus, { icon: TablerIcon; tone: Tone }> = {
  RUNNING: { icon: IconPlayerPlay, tone: "busy" },
  AWAITING: { icon: IconClockPause, tone: "warn" },
  COMPLETED: { icon: IconCheck, tone: "good" },
  FAILED: { icon: IconAlertTriangle, tone: "bad" },
  EXPIRED: { icon: IconHourglassOff, tone: "quiet" },
  CANCELLED: { icon: IconBan, tone: "quiet" },
};

/** The status of an execution: a sign and a word, never colour alone. */
export function Status({ status }: { status: string }) {
  const { t } = useTranslation();
  const look = LOOKS[status as ExecutionStatus];
  if (!look) return <Tag tone="quiet" icon={IconCircleDashed} text={status} />;
  return <Tag {...look} text={t(`status.${status as ExecutionStatus}`)} />;
}

/** A sign and a word in a tone. */
export function Tag({ tone, icon: Icon, text }: { tone: Tone; icon?: TablerIcon; text: string }) {
  return (
    <span className={css.tag} data-tone={tone}>
      {Icon && <Icon size={13} stroke={2.1} aria-hidden />}
      {text}
    </span>
  );
}
