import { useId, type ReactNode } from "react";

import css from "./Section.module.css";

/** A part of a page with its heading. */
export function Section({ title, actions, children }: { title: string; actions?: ReactNode; children: ReactNode }) {
  const id = useId();
  return (
    <section className={css.section} aria-labelledby={id}>
      <header className={css.header}>
        <h2 id={id} className={css.title}>
          {title}
        </h2>
        {actions}
      </header>
      {children}
    </section>
  );
}
