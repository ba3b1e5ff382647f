import { IconAlertTriangle, IconClockPause, IconInfoCircle } from "@tabler/icons-react";
import type { ReactNode } from "react";

import css from "./Notice.module.css";

const SIGNS = { bad: IconAlertTriangle, warn: IconClockPause, busy: IconInfoCircle };

interface Props {
  tone: keyof typeof SIGNS;
  title?: string | undefined;
  /** Told at once to those who do not see it. */
  alert?: boolean;
  children?: ReactNode;
}

/** Something about the whole page or a part of it that should be read first. */
export function Notice({ tone, title, alert = false, children }: Props) {
  const Sign = SIGNS[tone];
  return (
    <div className={css.notice} data-tone={tone} role={alert ? "alert" : undefined}>
      <Sign size={18} stroke={1.9} aria-hidden />
      <div className={css.words}>
        {title && <p className={css.title}>{title}</p>}
        {children}
      </div>
    </div>
  );
}
