/** What an expression gives for sample values, while it is typed; the values can be others. */
import { TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { parse } from "@/builder/parsed";
import { sampleAt, scopeFor, withSample } from "@/builder/samples";
import { useBuilder } from "./state";
import css from "./Builder.module.css";

const AFTER = 150;
const MOST_SHOWN = 200;

/** `whole`: the text is an expression; else a text with `${…}`. */
export function Evaluated({ text, whole }: { text: string; whole: boolean }) {
  const { t } = useTranslation("builder");
  const { drawn, list, step, recordFields, samples, sample } = useBuilder();
  const scope = useMemo(() => {
    const made = scopeFor(text, drawn.value, list, step, recordFields);
    return Object.entries(samples).reduce((now, [name, value]) => withSample(now, name, value), made);
  }, [text, drawn, list, step, recordFields, samples]);
  const [asked] = useDebouncedValue(useMemo(() => ({ text, template: !whole, values: scope }), [text, whole, scope]), AFTER);
  const { data } = useQuery({
    queryKey: ["definitions", "evaluate", asked],
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
      {data.reads.length > 0 && (
        <div className={css.samples}>
          <span className="quiet">{t("samples")}</span>
          {data.reads.map((name) => (
            <TextInput
              key={name}
              size="xs"
              label={name}
              value={shown(sampleAt(scope, name))}
              spellCheck={false}
              onChange={(event) => sample(name, meant(event.currentTarget.value))}
            />
          ))}
        </div>
      )}
    </div>
  );
}

/** A value as somebody would type it. */
function shown(value: unknown): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value).slice(0, MOST_SHOWN);
}

/** What is typed as YAML: `80` is a number, `true` no text. */
function meant(typed: string): unknown {
  const parsed = parse(typed);
  return parsed.readable && typed.trim() !== "" ? parsed.value : typed;
}
