/** What is different, by step, from a revision or from another draft. */
import { Modal, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { parse } from "@/builder/parsed";
import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { ChangesBetween } from "../definitions/Changes";
import { revisionQuery } from "../definitions/queries";
import { draftQuery, draftsQuery, revisionsQuery } from "./queries";
import { useBuilder } from "./state";

interface Props {
  definitionId: string | undefined;
  draftId: string | undefined;
  onClose: () => void;
}

export function Compare({ definitionId, draftId, onClose }: Props) {
  const { t } = useTranslation(["builder", "common"]);
  const revisions = useQuery({ ...revisionsQuery(definitionId ?? ""), enabled: definitionId !== undefined }).data?.data ?? [];
  const drafts = useQuery(draftsQuery()).data?.data.filter((one) => one.id !== draftId) ?? [];
  const [chosen, setChosen] = useState<string>();
  const first = revisions.find((one) => one.current) ?? revisions[0];
  const other = chosen ?? (first ? `revision ${first.revision}` : drafts[0] && `draft ${drafts[0].id}`);
  const ofRevisions = revisions.map(({ revision, current }) => ({ value: `revision ${revision}`, label: t(current ? "compare.published" : "compare.revision", { revision }) }));
  const ofDrafts = drafts.map(({ id, name, owner, version }) => ({ value: `draft ${id}`, label: t("compare.draft", { name, owner, version }) }));
  return (
    <Modal opened onClose={onClose} size="xl" title={t("compare.title")} closeButtonProps={{ "aria-label": t("common:close") }}>
      {other === undefined ? (
        <p className="quiet">{t("compare.none")}</p>
      ) : (
        <>
          <Select
            label={t("compare.with")}
            mb="md"
            data={[
              { group: t("compare.revisions"), items: ofRevisions },
              { group: t("compare.drafts"), items: ofDrafts },
            ]}
            value={other}
            allowDeselect={false}
            searchable
            onChange={(value) => value !== null && setChosen(value)}
          />
          <From key={other} definitionId={definitionId} other={other} />
        </>
      )}
    </Modal>
  );
}

/** `other`: `revision 3` of the definition, or `draft ID`. */
function From({ definitionId, other }: { definitionId: string | undefined; other: string }) {
  const { drawn } = useBuilder();
  const [what, id] = other.split(" ") as ["revision" | "draft", string];
  const revision = useQuery({ ...revisionQuery(definitionId ?? "", Number(id)), enabled: what === "revision" });
  const draft = useQuery({ ...draftQuery(id), enabled: what === "draft" });
  const { data, error } = what === "revision" ? revision : draft;
  if (error) return <Failure error={error} />;
  return data ? <ChangesBetween before={parse(data.text).value} after={drawn.value} /> : <Loading />;
}
