import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { useMay } from "@/app/auth";
import { Section } from "@/components/Section";
import { Tag } from "@/components/Status";
import { Time } from "@/components/Time";
import { draftsQuery } from "./queries";
import css from "./Builder.module.css";

/** One's own drafts and those that are shared, of one definition or of all. Nothing where there are none. */
export function Drafts({ definitionId }: { definitionId?: string }) {
  const { t } = useTranslation("builder");
  const may = useMay("can_manage_definitions");
  const { data } = useQuery({ ...draftsQuery(definitionId), enabled: may });
  if (!data || data.data.length === 0) return null;
  return (
    <Section title={t("drafts.title")}>
      <ul className={css.drafts}>
        {data.data.map((one) => (
          <li key={one.id}>
            <Link to="/drafts/$draftId" params={{ draftId: one.id }}>
              {one.name}
            </Link>{" "}
            <span className="quiet">
              {t("drafts.by", { owner: one.owner, version: one.version })} · <Time at={one.updatedAt} relative />
            </span>{" "}
            {one.shared && <Tag tone="quiet" text={t("drafts.shared")} />}{" "}
            {one.baseRevision !== null && one.newestRevision !== null && one.newestRevision > one.baseRevision && (
              <Tag tone="warn" text={t("drafts.behind", { base: one.baseRevision, newest: one.newestRevision })} />
            )}
          </li>
        ))}
      </ul>
    </Section>
  );
}
