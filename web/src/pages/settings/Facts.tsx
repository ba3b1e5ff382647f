import type { ReactNode } from "react";

import css from "./Settings.module.css";

export interface Fact {
  name: string;
  value: ReactNode;
}

/** Names and what they are. */
export function Facts({ facts }: { facts: readonly Fact[] }) {
  return (
    <dl className={css.facts}>
      {facts.map(({ name, value }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
