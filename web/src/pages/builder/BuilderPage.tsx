import { useSuspenseQuery } from "@tanstack/react-query";
import { getRouteApi, useRouterState } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { revisionQuery, scenariosQuery } from "../definitions/queries";
import { Builder } from "./Builder";
import { draftQuery, revisionsQuery, schemaQuery } from "./queries";

/** A definition that is not there yet. */
export function NewDefinitionPage() {
  const { t } = useTranslation("builder");
  const { data: schema } = useSuspenseQuery(schemaQuery);
  useTitle(t("newDefinition"));
  return <Builder schema={schema} start={`name: ${t("start.name")}\ntitle: ${t("start.title")}\nsteps: []\n`} draft={undefined} base={undefined} />;
}

const edited = getRouteApi("/definitions/$definitionId/edit");

/** The newest revision of a definition, to be changed. */
export function EditDefinitionPage() {
  const { definitionId } = edited.useParams();
  const { t } = useTranslation("builder");
  const { data: schema } = useSuspenseQuery(schemaQuery);
  const { data: revisions } = useSuspenseQuery(revisionsQuery(definitionId));
  // What others push meanwhile is told, and does not take the text away.
  const [revision] = useState(revisions.data[0]!.revision);
  const { data } = useSuspenseQuery(revisionQuery(definitionId, revision));
  const { data: kept } = useSuspenseQuery(scenariosQuery(definitionId));
  useTitle(t("title"));
  return <Builder schema={schema} start={data.text} draft={undefined} base={{ definitionId, revision, text: data.text, kept }} />;
}

const drafted = getRouteApi("/drafts/$draftId");

/** A draft: one's own, or one that is shared. */
export function DraftPage() {
  const { draftId } = drafted.useParams();
  const { t } = useTranslation("builder");
  const { data: schema } = useSuspenseQuery(schemaQuery);
  const { data: draft } = useSuspenseQuery(draftQuery(draftId));
  useTitle(`${draft.name} · ${t("title")}`);
  const { definitionId, baseRevision } = draft;
  if (definitionId !== null && baseRevision !== null) {
    return <Based key={draftId} draft={draft} schema={schema} definitionId={definitionId} revision={baseRevision} />;
  }
  return <Builder key={draftId} schema={schema} start={draft.text} draft={draft} base={undefined} />;
}

interface BasedProps {
  draft: Parameters<typeof Builder>[0]["draft"] & object;
  schema: Parameters<typeof Builder>[0]["schema"];
  definitionId: string;
  revision: number;
}

function Based({ draft, schema, definitionId, revision }: BasedProps) {
  const { data } = useSuspenseQuery(revisionQuery(definitionId, revision));
  const { data: kept } = useSuspenseQuery(scenariosQuery(definitionId));
  return <Builder schema={schema} start={draft.text} draft={draft} base={{ definitionId, revision, text: data.text, kept }} />;
}

function useTitle(title: string): void {
  const { pathname } = useRouterState({ select: (state) => state.location });
  useEffect(() => {
    document.title = `${title} · Passerelle`;
  }, [title, pathname]);
}
