import { useState } from "react";
import { useTranslation } from "react-i18next";

import css from "./Json.module.css";

const MOST_ENTRIES = 100;
const OPEN_LEVELS = 2;

/** A value, readable: objects as names and values, in their order. Every text is shown as text. */
export function Json({ value, level = 0 }: { value: unknown; level?: number }) {
  if (value === null || value === undefined) return <span className="quiet">–</span>;
  if (typeof value === "string") return <span className={css.text}>{value === "" ? "“”" : value}</span>;
  if (typeof value === "object") return <Entries value={value} level={level} />;
  return <span className={css.literal}>{JSON.stringify(value)}</span>;
}

function Entries({ value, level }: { value: object; level: number }) {
  const { t } = useTranslation();
  const [most, setMost] = useState(MOST_ENTRIES);
  const entries: [string, unknown][] = Object.entries(value);
  if (entries.length === 0) return <span className="quiet">{Array.isArray(value) ? "[ ]" : "{ }"}</span>;
  const list = (
    <dl className={css.entries}>
      {entries.slice(0, most).map(([name, one]) => (
        <div key={name} className={css.entry} data-nested={(typeof one === "object" && one !== null) || undefined}>
          <dt>{name}</dt>
          <dd>
            <Json value={one} level={level + 1} />
          </dd>
        </div>
      ))}
      {entries.length > most && (
        <button type="button" className={css.more} onClick={() => setMost(most + MOST_ENTRIES)}>
          {t("json.more", { count: entries.length - most })}
        </button>
      )}
    </dl>
  );
  if (level === 0) return list;
  return (
    <details open={level < OPEN_LEVELS} className={css.nested}>
      <summary>{Array.isArray(value) ? t("json.items", { count: entries.length }) : t("json.fields", { count: entries.length })}</summary>
      {list}
    </details>
  );
}
