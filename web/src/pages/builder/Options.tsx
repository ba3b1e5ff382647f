/** What a field offers to choose from, and choices of codes: of countries and of currencies. */
import { Button, Select, TextInput } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconPlus, IconTrash } from "@tabler/icons-react";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import { change, insert, move, remove, set, valueAt } from "@/builder/edits";
import { freeName, isField, optionsOf, writtenOptions, type Field } from "@/builder/fields";
import type { Parsed, Path } from "@/builder/parsed";
import { Group, Tool } from "./inputs";
import { useBuilder } from "./state";
import { TextsInput } from "./TextsInput";
import css from "./Builder.module.css";

/** The options of a field, or of the entries of a list. `path`: the schema that has them. */
export function OptionsEditor({ path }: { path: Path }) {
  const { parsed, edit } = useBuilder();
  const { t } = useTranslation("builder");
  const value = valueAt(parsed, path);
  const field: Field = isField(value) ? value : {};
  const options = optionsOf(field) ?? [];
  const withTexts = Array.isArray(field["oneOf"]);
  const list = [...path, withTexts ? "oneOf" : "enum"];
  const at = (place: number) => (withTexts ? [...list, place, "const"] : [...list, place]);
  const isNumeric = field["type"] === "number" || field["type"] === "integer";
  const add = (now: Parsed) => {
    const wanted = isNumeric ? options.length + 1 : freeName(options.map((one) => String(one.value)), "option");
    return insert(now, list, options.length, withTexts ? { const: wanted, title: String(wanted) } : wanted);
  };
  return (
    <Group label={t("options")}>
      {options.map((option, place) => (
        <div className={css.item} key={place}>
          <div className={css.row}>
            <TextInput
              className={css.grow}
              label={t("optionOf", { number: place + 1 })}
              value={String(option.value)}
              error={options.findIndex((one) => one.value === option.value) < place ? t("nameTaken") : undefined}
              onChange={(event) => {
                const typed = event.currentTarget.value;
                const meant = isNumeric && typed.trim() !== "" && Number.isFinite(Number(typed)) ? Number(typed) : typed;
                edit((now) => set(now, at(place), meant), at(place).join("."));
              }}
            />
            <span className={css.tools}>
              <Tool icon={IconArrowUp} text={t("up")} disabled={place === 0} onClick={() => edit((now) => move(now, [...list, place], place - 1))} />
              <Tool icon={IconArrowDown} text={t("down")} disabled={place === options.length - 1} onClick={() => edit((now) => move(now, [...list, place], place + 1))} />
              <Tool icon={IconTrash} text={t("removeOf", { what: t("optionOf", { number: place + 1 }) })} disabled={options.length === 1} onClick={() => edit((now) => remove(now, [...list, place]))} />
            </span>
          </div>
          {withTexts && <TextsInput path={[...list, place, "title"]} schema={{}} label={t("optionText", { number: place + 1 })} />}
        </div>
      ))}
      <span className={css.tools}>
        <Button variant="subtle" size="compact-xs" leftSection={<IconPlus size={13} />} onClick={() => edit(add)}>
          {t("addOption")}
        </Button>
        <Button variant="subtle" size="compact-xs" onClick={() => edit((now) => rewritten(now, path, !withTexts))}>
          {t(withTexts ? "optionsPlain" : "optionsTexts")}
        </Button>
      </span>
    </Group>
  );
}

/** The same options, with texts of their own or without. */
function rewritten(parsed: Parsed, path: Path, withTexts: boolean): Parsed {
  const { enum: values, oneOf, ...rest } = valueAt(parsed, path) as Field;
  return change(parsed, path, { ...rest, ...writtenOptions(optionsOf({ enum: values, oneOf }) ?? [], withTexts) });
}

interface CodeProps {
  path: Path;
  label: string;
}

/** Two letters that ISO 3166 and CLDR know, but no country's. */
const NO_COUNTRY = new Set(["EU", "EZ", "UN", "QO", "XA", "XB", "ZZ", "AC", "CP", "CQ", "DG", "EA", "IC", "TA"]);

export function CountryChoice(props: CodeProps) {
  const { i18n } = useTranslation();
  const countries = useMemo(() => {
    const names = new Intl.DisplayNames(i18n.language, { type: "region", fallback: "none" });
    const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
    const codes = letters.flatMap((first) => letters.map((second) => first + second));
    return codes.flatMap((code) => (NO_COUNTRY.has(code) ? [] : [{ code, name: names.of(code) }]));
  }, [i18n.language]);
  return <CodeChoice {...props} codes={countries} />;
}

export function CurrencyChoice(props: CodeProps) {
  const { i18n } = useTranslation();
  const currencies = useMemo(() => {
    const names = new Intl.DisplayNames(i18n.language, { type: "currency" });
    return Intl.supportedValuesOf("currency").map((code) => ({ code, name: names.of(code) }));
  }, [i18n.language]);
  return <CodeChoice {...props} codes={currencies} />;
}

/** One of many codes, found by its name; none takes the key away. */
function CodeChoice({ path, label, codes }: CodeProps & { codes: readonly { code: string; name: string | undefined }[] }) {
  const { parsed, edit } = useBuilder();
  const { i18n } = useTranslation();
  const value = valueAt(parsed, path);
  const known = codes.flatMap(({ code, name }) => (name === undefined ? [] : [{ value: code, label: `${name} (${code})` }]));
  known.sort((one, other) => one.label.localeCompare(other.label, i18n.language));
  return (
    <Select
      label={label}
      data={known}
      value={typeof value === "string" ? value : null}
      searchable
      clearable
      limit={300}
      maxDropdownHeight={320}
      onChange={(code) => edit((now) => (code === null ? remove(now, path) : set(now, path, code)))}
    />
  );
}
