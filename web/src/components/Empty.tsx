import type { TablerIcon } from "@tabler/icons-react";
import type { ReactNode } from "react";

import css from "./Empty.module.css";

interface Props {
  icon: TablerIcon;
  title: string;
  text?: ReactNode;
  /** One of several on a page. */
  small?: boolean;
  /** What can be done about it. */
  children?: ReactNode;
}

/** Nothing is here: why, and what to do. */
export function Empty({ icon: Icon, title, text, small = false, children }: Props) {
  return (
    <div className={css.empty} data-small={small || undefined}>
      <Icon size={small ? 24 : 34} stroke={1.3} aria-hidden />
      <p className={css.title}>{title}</p>
      {text && <p className={css.text}>{text}</p>}
      {children && <div className={css.actions}>{children}</div>}
    </div>
  );
}
