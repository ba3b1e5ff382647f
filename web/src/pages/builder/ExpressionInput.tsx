import { Autocomplete } from "@mantine/core";
import { useState, type FocusEvent, type ReactNode } from "react";

import { set, valueAt } from "@/builder/edits";
import { completions } from "@/builder/names";
import type { Path } from "@/builder/parsed";
import type { Schema } from "@/builder/schema";
import { Evaluated } from "./Evaluated";
import { described } from "./inputs";
import { useBuilder } from "./state";
import css from "./Builder.module.css";

interface Props {
  path: Path;
  schema: Schema;
  label: string;
  actions?: ReactNode;
  error?: string | undefined;
  /** The whole text is an expression; else only what stands in `${…}`. */
  whole?: boolean;
  /** Names that can be read here besides. */
  more?: readonly string[];
}

/** A text in which names are completed. */
export function ExpressionInput({ path, schema, label, actions, error, whole = false, more = [] }: Props) {
  const { parsed, edit, names } = useBuilder();
  const value = valueAt(parsed, path);
  const text = typeof value === "string" ? value : "";
  const open = whole ? 0 : text.lastIndexOf("${") + 2;
  const inside = whole || (open > 1 && !text.slice(open).includes("}"));
  const all = [...more.map((name) => ({ name, what: "form" })), ...names];
  const found = inside ? completions(text.slice(open), all) : [];
  const offered = new Map(found.map((one) => [text.slice(0, open) + one.value + (whole || one.name.name.endsWith("(") ? "" : "}"), one.name]));
  const [isFocused, setFocused] = useState(false);
  const leave = (event: FocusEvent) => !event.currentTarget.contains(event.relatedTarget) && setFocused(false);
  return (
    <div className={css.row} onFocus={() => setFocused(true)} onBlur={leave}>
      <div className={css.grow}>
        <Autocomplete
        label={label}
        description={described(schema.description)}
        size="xs"
        value={text}
        error={error}
        data={[...offered.keys()]}
        filter={({ options }) => options}
        renderOption={({ option }) => (
          <span className={css.name}>
            <span className="mono">{offered.get(option.value)?.name}</span>
            <span className="quiet">{offered.get(option.value)?.what}</span>
          </span>
        )}
        spellCheck={false}
        styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
        onChange={(typed) => edit((now) => set(now, path, typed), path.join("."))}
      />
        {isFocused && (whole || text.includes("${")) && <Evaluated text={text} whole={whole} />}
      </div>
      {actions}
    </div>
  );
}
