/** What an expression gives for sample values, while it is typed; the values can be others. */
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { api, got } from "@/api/client";
import { Samples, shown, useScope } from "./Samples";
import css from "./Builder.module.css";

const AFTER = 150;

/** `whole`: the text is an expression; else a text with `${…}`. */
export function Evaluated({ text, whole }: { text: string; whole: boolean }) {
  const scope = useScope(text);
  const [asked] = useDebouncedValue(useMemo(() => ({ text, template: !whole, values: scope }), [text, whole, scope]), AFTER);
  const { data } = useQuery({
    queryKey: ["builder", "evaluate", asked],
    queryFn: () => got(api.POST("/definitions/evaluate", { body: asked })),
    enabled: asked.text.trim() !== "",
    staleTime: Infinity,
    gcTime: 60_000,
    retry: false,
    placeholderData: (before) => before,
  });
  if (!data || text.trim() === "") return null;
  return (
    <div className={css.evaluated}>
      <p className={css.result} role="status" data-tone={data.problem === null ? undefined : "bad"}>
        {data.problem === null ? <code>= {shown(data.value)}</code> : data.problem}
      </p>
      <Samples names={data.reads} scope={scope} />
    </div>
  );
}
