import { Kbd, Modal, Switch } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { keyboard, useShortcutGroups, useSingleKeys } from "./keyboard";
import css from "./ShortcutDialog.module.css";

const NAMES: Record<string, string> = { mod: "Ctrl", ArrowDown: "↓", ArrowUp: "↑", ArrowLeft: "←", ArrowRight: "→", Escape: "Esc" };

/** Everything that a key does here. */
export function ShortcutDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  const groups = useShortcutGroups();
  const singleKeys = useSingleKeys();
  return (
    <Modal closeButtonProps={{ "aria-label": t("close") }} opened={opened} onClose={onClose} title={t("shortcuts.title")} size="lg">
      <div className={css.groups}>
        {groups.map((group) => (
          <section key={group.title}>
            <h3 className={css.title}>{group.title}</h3>
            <dl className={css.list}>
              {group.shortcuts.map((shortcut) => (
                <div key={shortcut.keys} className={css.entry}>
                  <dt>{shortcut.text}</dt>
                  <dd>
                    <Keys keys={shortcut.keys} />
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <Switch
        mt="md"
        size="xs"
        label={t("shortcuts.singleKeys")}
        checked={singleKeys}
        onChange={(event) => keyboard.setSingleKeys(event.currentTarget.checked)}
      />
    </Modal>
  );
}

/** A shortcut as it is pressed. */
export function Keys({ keys }: { keys: string }) {
  return (
    <span className={css.keys}>
      {keys.split(/[ +]/).map((key, place) => (
        <Kbd key={place} size="xs">
          {NAMES[key] ?? (key.length === 1 && keys.startsWith("mod") ? key.toUpperCase() : key)}
        </Kbd>
      ))}
    </span>
  );
}
