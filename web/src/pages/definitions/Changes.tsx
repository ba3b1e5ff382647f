import { Group, Select } from "@mantine/core";
import { IconArrowsMoveVertical, IconEqual, IconMinus, IconPencil, IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import { Empty } from "@/components/Empty";
import { Failure } from "@/components/Failure";
import { Json } from "@/components/Json";
import { Loading } from "@/components/Loading";
import { Tag } from "@/components/Status";
import { revisionQuery, type Revision } from "./queries";
import { stepChanges, type StepChange } from "./stepDiff";
import css from "./Definitions.module.css";

const LOOKS = {
  added: { tone: "good", icon: IconPlus },
  removed: { tone: "bad", icon: IconMinus },
  moved: { tone: "quiet", icon: IconArrowsMoveVertical },
  changed: { tone: "busy", icon: IconPencil },
} as const;

interface Props {
  definitionId: string;
  revisions: readonly Revision[];
  from: number;
  to: number;
  onChange: (from: number, to: number) => void;
}

/** What is different between two revisions, by step. */
export function Changes({ definitionId, revisions, from, to, onChange }: Props) {
  const { t } = useTranslation("definitions");
  const choice = revisions.map(({ revision, current }) => ({
    value: String(revision),
    label: t("revision", { revision }) + (current ? ` · ${t("published")}` : ""),
  }));
  return (
    <>
      <Group mb="md" gap="sm">
        <Select label={t("changes.from")} data={choice} value={String(from)} allowDeselect={false} onChange={(value) => onChange(Number(value), to)} />
        <Select label={t("changes.to")} data={choice} value={String(to)} allowDeselect={false} onChange={(value) => onChange(from, Number(value))} />
      </Group>
      <ChangeList definitionId={definitionId} from={from} to={to} />
    </>
  );
}

/** The steps that are different in another revision, and how. */
export function ChangeList({ definitionId, from, to }: { definitionId: string; from: number; to: number }) {
  const left = useQuery(revisionQuery(definitionId, from));
  const right = useQuery(revisionQuery(definitionId, to));
  const changes = useMemo(
    () => (left.data && right.data ? stepChanges(left.data.document, right.data.document) : undefined),
    [left.data, right.data],
  );
  const error = left.error ?? right.error;
  if (error) return <Failure error={error} />;
  return changes ? <Listed changes={changes} /> : <Loading />;
}

/** The same between two texts, of which the second is not pushed yet. */
export function ChangesBetween({ before, after }: { before: unknown; after: unknown }) {
  const changes = useMemo(() => stepChanges(before, after), [before, after]);
  return <Listed changes={changes} />;
}

function Listed({ changes }: { changes: readonly StepChange[] }) {
  const { t } = useTranslation("definitions");
  if (changes.length === 0) return <Empty icon={IconEqual} title={t("changes.none")} />;
  return (
    <ul className={css.changes}>
      {changes.map((change) => (
        <Change key={change.step ?? ""} change={change} />
      ))}
    </ul>
  );
}

function Change({ change }: { change: StepChange }) {
  const { t } = useTranslation("definitions");
  return (
    <li>
      <h3 className={css.changeHead}>
        <Tag {...LOOKS[change.change]} text={t(`changes.${change.change}`)} />
        {change.step === undefined ? t("changes.outside") : <code>{change.step}</code>}
        {change.kind && <span className="quiet">{change.kind}</span>}
      </h3>
      {change.differences.length > 0 && (
        <dl className={css.values}>
          {change.differences.map((one) => (
            <div key={one.path}>
              <dt>{one.path}</dt>
              {change.change !== "added" && (
                <dd className={css.old}>
                  <span className={css.unseen}>{t("changes.before")}</span>
                  <Json value={one.left} />
                </dd>
              )}
              <dd className={css.new}>
                <span className={css.unseen}>{t("changes.now")}</span>
                <Json value={one.right} />
              </dd>
            </div>
          ))}
        </dl>
      )}
    </li>
  );
}
