import { Kbd, Modal, ScrollArea, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { useId, useState, type KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";

import { usePaletteEntries } from "./paletteEntries";
import css from "./Palette.module.css";

/** Finds pages, executions by id, records, and actions. */
export function Palette({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const list = useId();
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState(0);
  const [sought] = useDebouncedValue(text.trim(), 120);
  const entries = usePaletteEntries(sought);
  const at = Math.min(chosen, entries.length - 1);

  const open = (place: number) => {
    const entry = entries[place];
    if (!entry) return;
    onClose();
    entry.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      const next = (at + step + entries.length) % Math.max(entries.length, 1);
      setChosen(next);
      document.getElementById(`${list}-${next}`)?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter") {
      event.preventDefault();
      open(at);
    }
  };
  return (
    <Modal.Root opened onClose={onClose} size="lg" yOffset="12vh" centered={false}>
      <Modal.Overlay />
      <Modal.Content aria-label={t("palette.open")}>
      <TextInput
        data-autofocus
        variant="unstyled"
        size="md"
        className={css.input}
        leftSection={<IconSearch size={17} />}
        placeholder={t("palette.placeholder")}
        aria-label={t("palette.placeholder")}
        role="combobox"
        aria-expanded
        aria-controls={list}
        aria-activedescendant={entries.length > 0 ? `${list}-${at}` : undefined}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setChosen(0);
        }}
        onKeyDown={onKeyDown}
      />
      <ScrollArea.Autosize mah="50vh" viewportProps={{ tabIndex: 0 }}>
        <ul id={list} role="listbox" aria-label={t("palette.results")} className={css.list}>
          {entries.map((entry, place) => (
            <li
              key={entry.id}
              id={`${list}-${place}`}
              role="option"
              aria-selected={place === at}
              className={css.entry}
              onMouseMove={() => setChosen(place)}
              onClick={() => open(place)}
            >
              <entry.icon size={16} stroke={1.7} aria-hidden />
              <span className={css.text}>{entry.text}</span>
              {entry.hint && <span className={css.hint}>{entry.hint}</span>}
            </li>
          ))}
        </ul>
        <p role="status" className={css.none}>
          {entries.length === 0 && t("palette.nothing")}
        </p>
      </ScrollArea.Autosize>
      <div className={css.foot} aria-hidden>
        <Kbd size="xs">↑</Kbd> <Kbd size="xs">↓</Kbd> {t("palette.move")} <Kbd size="xs">↵</Kbd> {t("palette.choose")}
      </div>
      </Modal.Content>
    </Modal.Root>
  );
}
