/** Sample values for what is read: made up of the definition, and others where somebody types them. */
import { TextInput } from "@mantine/core";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import { parse } from "@/builder/parsed";
import { sampleAt, scopeFor, withSample, type Scope } from "@/builder/samples";
import { useBuilder } from "./state";
import css from "./Builder.module.css";

const MOST_SHOWN = 200;

/** Values for what `text` reads where the selected step stands. */
export function useScope(text: string): Scope {
  const { drawn, list, step, recordFields, samples } = useBuilder();
  return useMemo(() => {
    const made = scopeFor(text, drawn.value, list, step, recordFields);
    return Object.entries(samples).reduce((now, [name, value]) => withSample(now, name, value), made);
  }, [text, drawn, list, step, recordFields, samples]);
}

export function Samples({ names, scope }: { names: readonly string[]; scope: Scope }) {
  const { t } = useTranslation("builder");
  const { sample } = useBuilder();
  if (names.length === 0) return null;
  return (
    <div className={css.samples}>
      <span className="quiet">{t("samples")}</span>
      {names.map((name) => (
        <TextInput key={name} size="xs" label={name} value={shown(sampleAt(scope, name))} spellCheck={false} onChange={(event) => sample(name, meant(event.currentTarget.value))} />
      ))}
    </div>
  );
}

/** A value as somebody would type it. */
export function shown(value: unknown): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value).slice(0, MOST_SHOWN);
}

/** What is typed as YAML: `80` is a number, `true` no text. */
function meant(typed: string): unknown {
  const parsed = parse(typed);
  return parsed.readable && typed.trim() !== "" ? parsed.value : typed;
}
