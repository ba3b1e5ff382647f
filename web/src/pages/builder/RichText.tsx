/** A text in Markdown: formatted by buttons, with values put in, and names completed while they are typed. */
import { Combobox, Select, Textarea, useCombobox } from "@mantine/core";
import { IconBold, IconBraces, IconHeading, IconItalic, IconLink, IconList, IconListNumbers } from "@tabler/icons-react";
import { useEffect, useEffectEvent, useLayoutEffect, useRef, useState, type KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";

import { expressionAt, inserted, linked, lined, marked, type Selected } from "@/builder/formatting";
import { completions } from "@/builder/names";
import { Tool } from "./inputs";
import { useBuilder } from "./state";
import type { LineProps } from "./TextsInput";
import css from "./Builder.module.css";

/** `onFormatted`: called before a button formats something. */
export function RichText({ label, value, onChange, onFormatted, ...props }: LineProps & { onFormatted?: () => void }) {
  const { t } = useTranslation("builder");
  const { names } = useBuilder();
  const area = useRef<HTMLTextAreaElement>(null);
  const selection = useRef<Selected>(undefined);
  const [caret, setCaret] = useState(0);
  const combobox = useCombobox({ onDropdownClose: () => combobox.resetSelectedOption() });
  const open = expressionAt(value, caret);
  const offered = open === undefined ? [] : completions(value.slice(open, caret), names);
  // The text comes back with the next drawing: only then can something in it be selected.
  useLayoutEffect(() => {
    const wanted = selection.current;
    if (!wanted || wanted.text !== value) return;
    selection.current = undefined;
    area.current?.focus();
    area.current?.setSelectionRange(wanted.from, wanted.to);
    setCaret(wanted.to);
  }, [value]);
  const choose = useEffectEvent(() => offered.length > 0 && combobox.selectFirstOption());
  useEffect(() => void choose(), [value]);
  const now = (): Selected => ({ text: value, from: area.current?.selectionStart ?? value.length, to: area.current?.selectionEnd ?? value.length });
  const put = (next: Selected) => {
    selection.current = next;
    onChange(next.text);
  };
  const format = (change: (selected: Selected) => Selected) => {
    onFormatted?.();
    put(change(now()));
  };
  const complete = (completed: string) => {
    if (open === undefined) return;
    const end = completed.endsWith("(") || value[caret] === "}" ? "" : "}";
    put(inserted({ text: value, from: open, to: caret }, completed + end));
    combobox.closeDropdown();
  };
  const press = (event: KeyboardEvent) => {
    const mark = (event.ctrlKey || event.metaKey) && !event.altKey ? { b: "**", i: "*" }[event.key] : undefined;
    if (mark === undefined) return;
    event.preventDefault();
    format((selected) => marked(selected, mark));
  };
  const values = [...new Set(names.filter(({ name }) => name.includes(".")).map(({ name }) => name))];
  const buttons = (
    <div className={css.formats} role="toolbar" aria-label={t("formatting.of", { what: label })}>
      <Tool icon={IconBold} text={t("formatting.bold")} onClick={() => format((one) => marked(one, "**"))} />
      <Tool icon={IconItalic} text={t("formatting.italic")} onClick={() => format((one) => marked(one, "*"))} />
      <Tool icon={IconLink} text={t("formatting.link")} onClick={() => format(linked)} />
      <Tool icon={IconHeading} text={t("formatting.heading")} onClick={() => format((one) => lined(one, "heading"))} />
      <Tool icon={IconList} text={t("formatting.list")} onClick={() => format((one) => lined(one, "list"))} />
      <Tool icon={IconListNumbers} text={t("formatting.numbers")} onClick={() => format((one) => lined(one, "numbers"))} />
      <Select
        size="xs"
        className={css.insert}
        aria-label={t("insertValue")}
        placeholder={t("insertValue")}
        leftSection={<IconBraces size={13} />}
        data={values}
        value={null}
        searchable
        limit={200}
        onChange={(name) => name !== null && put(inserted(now(), `\${${name}}`))}
      />
    </div>
  );
  return (
    <div className={css.grow}>
      <Combobox store={combobox} onOptionSubmit={complete}>
        {/* Without names to choose from, arrows are the text's own. */}
        <Combobox.Target targetType="input" withKeyboardNavigation={offered.length > 0}>
          <Textarea
            ref={area}
            {...props}
            label={label}
            // Between the label and the text, where whoever reads on comes by.
            inputContainer={(input) => (
              <>
                {buttons}
                {input}
              </>
            )}
            value={value}
            autosize
            minRows={4}
            maxRows={16}
            onKeyDown={press}
            onSelect={(event) => setCaret(event.currentTarget.selectionStart)}
            onBlur={() => combobox.closeDropdown()}
            onChange={(event) => {
              setCaret(event.currentTarget.selectionStart);
              onChange(event.currentTarget.value);
              combobox.openDropdown();
            }}
          />
        </Combobox.Target>
        <Combobox.Dropdown hidden={offered.length === 0}>
          <Combobox.Options>
            {offered.map(({ value: completed, name }) => (
              <Combobox.Option key={completed} value={completed}>
                <span className={css.name}>
                  <span className="mono">{name.name}</span>
                  <span className="quiet">{name.what}</span>
                </span>
              </Combobox.Option>
            ))}
          </Combobox.Options>
        </Combobox.Dropdown>
      </Combobox>
    </div>
  );
}
