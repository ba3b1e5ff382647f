import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { Schemas } from "@/api/client";
import { Failure } from "@/components/Failure";
import css from "./Settings.module.css";

interface Props {
  /** Names what is used, for those who do not see where this stands. */
  name: string;
  /** Where no head of a column says so. */
  alone?: boolean;
  queryKey: readonly unknown[];
  read: () => Promise<Schemas["UsesAnswer"]>;
}

/** The definitions that use something, looked for when they are asked for. */
export function UsedIn({ name, alone = false, queryKey, read }: Props) {
  const { t } = useTranslation("admin");
  const [open, setOpen] = useState(false);
  const { data, error } = useQuery({ queryKey: ["settings", "uses", ...queryKey], queryFn: read, enabled: open });
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className={css.summary} aria-label={t("uses.ofNamed", { name })}>
        {t(alone ? "uses.title" : "uses.show")}
      </summary>
      <div role="status">
        {error && <Failure error={error} />}
        {open && !data && !error && <span className="quiet">{t("uses.looking")}</span>}
        {data?.data.length === 0 && <span className="quiet">{t("uses.none")}</span>}
        <ul className={css.permissionList}>
          {data?.data.map((use) => (
            <li key={`${use.definitionId} ${use.revision}`}>
              <Link to="/definitions/$definitionId" params={{ definitionId: use.definitionId }}>
                {use.name}
              </Link>{" "}
              <span className="quiet">
                {t(use.published ? "uses.published" : "uses.draft", { revision: use.revision })} · {use.steps.filter(Boolean).join(", ")}
              </span>
            </li>
          ))}
        </ul>
        {data && !data.complete && <span className="quiet">{t("uses.more")}</span>}
      </div>
    </details>
  );
}
