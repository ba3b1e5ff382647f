/** What an execution's definition calls its steps and the fields of its forms, in the person's language. */
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import type { Schemas } from "@/api/client";
import { useMay } from "@/app/auth";
import { localized } from "@/components/localized";
import { graphQuery } from "../executions/queries";

type Graph = Schemas["GraphAnswer"];
type GraphNode = Schemas["NodeAnswer"];

export interface StepWords {
  step: (path: string) => string;
  field: (path: string, name: string) => string;
}

/** Words of steps by their paths (`owners[0].details`); what has none keeps its own name. */
export function useStepWords(workflowId: string): StepWords {
  const { i18n } = useTranslation();
  const may = useMay("can_view_executions");
  const { data } = useQuery({ ...graphQuery(workflowId), enabled: may });
  const nodes = new Map(data ? allOf(data).map((node) => [node.step, node]) : []);
  const nodeOf = (path: string) => nodes.get(path.slice(path.lastIndexOf(".") + 1));
  return {
    step: (path) => localized(nodeOf(path)?.title, i18n.language) || path,
    field: (path, name) => localized(nodeOf(path)?.fields[name], i18n.language) || name,
  };
}

function allOf({ nodes }: Graph): GraphNode[] {
  return nodes.flatMap((node) => [node, ...node.inner.flatMap(({ graph }) => allOf(graph))]);
}
