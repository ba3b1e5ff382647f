import { Button, Select, Textarea, TextInput } from "@mantine/core";
import { IconLanguage } from "@tabler/icons-react";
import { useId, type ComponentType, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { set, valueAt } from "@/builder/edits";
import type { Path } from "@/builder/parsed";
import type { Schema } from "@/builder/schema";
import { described, isObject } from "./inputs";
import { useBuilder } from "./state";
import css from "./Builder.module.css";

const LANGUAGES = ["en", "pl", "de", "uk", "cs", "es", "fr", "it", "ro", "ar"];
const LONG = new Set(["text", "body", "html", "description", "hint"]);

interface Props {
  path: Path;
  schema: Schema;
  label: string;
  actions?: ReactNode;
  error?: string | undefined;
  /** What each of the texts is typed into. */
  line?: ComponentType<LineProps>;
}

/** A text for people: one for all, or in each language side by side with what is missing. */
export function TextsInput({ path, schema, label, actions, error, line: Line = TextLine }: Props) {
  const { parsed, edit, drawn } = useBuilder();
  const { t, i18n } = useTranslation("builder");
  const id = useId();
  const value = valueAt(parsed, path);
  const long = LONG.has(String(path.at(-1)));
  const nameOf = (code: string) => new Intl.DisplayNames(i18n.language, { type: "language", fallback: "code" }).of(code) ?? code;
  const put = (at: Path, text: string) => edit((now) => set(now, at, text), at.join("."));
  if (!isObject(value)) {
    const used = languagesOf(drawn.value);
    const apart = used.length > 1 ? used : [i18n.language, i18n.language === "pl" ? "en" : "pl"];
    return (
      <div className={Line === TextLine ? css.row : css.stacked}>
        <Line label={label} description={described(schema.description)} long={long} value={typeof value === "string" ? value : ""} error={error} onChange={(text) => put(path, text)} />
        <span className={css.tools}>
          <Button
            variant="subtle"
            size="compact-xs"
            leftSection={<IconLanguage size={14} />}
            aria-label={t("perLanguageOf", { what: label })}
            onClick={() => edit((now) => set(now, path, Object.fromEntries(apart.map((code) => [code, typeof value === "string" ? value : ""]))))}
          >
            {t("perLanguage")}
          </Button>
          {actions}
        </span>
      </div>
    );
  }
  const wanted = [...new Set([...Object.keys(value), ...languagesOf(drawn.value)])];
  const others = LANGUAGES.filter((code) => !wanted.includes(code));
  return (
    <div role="group" aria-labelledby={id} className={css.group}>
      <div className={css.groupHead} id={id}>
        {label}
      </div>
      {actions && <div className={css.groupActions}>{actions}</div>}
      {schema.description && <p className={css.hint}>{described(schema.description)}</p>}
      <div className={css.languages}>
        {wanted.map((code) => {
          const text = value[code];
          const missing = typeof text !== "string" || text === "";
          return <Line key={code} label={nameOf(code)} long={long} value={typeof text === "string" ? text : ""} error={missing ? t("missing") : undefined} onChange={(typed) => put([...path, code], typed)} />;
        })}
      </div>
      {error && <p className={css.error}>{error}</p>}
      <Select
        aria-label={t("addLanguage")}
        placeholder={t("addLanguage")}
        w="11rem"
        data={others.map((code) => ({ value: code, label: nameOf(code) }))}
        value={null}
        onChange={(code) => code && edit((now) => set(now, [...path, code], ""))}
      />
    </div>
  );
}

export interface LineProps {
  label: string;
  description?: ReactNode;
  long: boolean;
  value: string;
  error?: string | undefined;
  onChange: (text: string) => void;
}

function TextLine({ long, onChange, ...props }: LineProps) {
  if (long) return <Textarea className={css.grow} {...props} autosize minRows={2} maxRows={12} onChange={(event) => onChange(event.currentTarget.value)} />;
  return <TextInput className={css.grow} {...props} onChange={(event) => onChange(event.currentTarget.value)} />;
}

/** The languages that the definition's title speaks; else those of its first text that speaks several. */
export function languagesOf(document: unknown): string[] {
  const found = new Set<string>();
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(walk);
    if (!isObject(value)) return;
    const names = Object.keys(value);
    if (names.length > 0 && names.every((name) => LANGUAGES.includes(name)) && Object.values(value).every((one) => typeof one === "string")) {
      names.forEach((name) => found.add(name));
    } else {
      Object.values(value).forEach(walk);
    }
  };
  walk(document);
  return LANGUAGES.filter((code) => found.has(code));
}
