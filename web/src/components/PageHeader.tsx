import { useEffect, type ReactNode } from "react";

import css from "./PageHeader.module.css";

interface Props {
  title: string;
  /** Where the page stands, above the title: links. */
  above?: ReactNode;
  /** One line below the title. */
  below?: ReactNode;
  /** Buttons at the right. */
  actions?: ReactNode;
}

/** The page's one `h1`, and its name in the browser's tab. */
export function PageHeader({ title, above, below, actions }: Props) {
  useEffect(() => {
    document.title = `${title} · Passerelle`;
  }, [title]);
  return (
    <header className={css.header}>
      <div className={css.words}>
        {above && <div className={css.above}>{above}</div>}
        <h1 className={css.title}>{title}</h1>
        {below && <div className={css.below}>{below}</div>}
      </div>
      {actions && <div className={css.actions}>{actions}</div>}
    </header>
  );
}
