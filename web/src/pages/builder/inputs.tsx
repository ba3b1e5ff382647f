/** What the builder's forms are put together from. */
import { ActionIcon, TextInput } from "@mantine/core";
import type { TablerIcon } from "@tabler/icons-react";
import { useId, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import css from "./Builder.module.css";

/** A key: it is renamed when it is left, so that half a name never takes the place of another. */
export function KeyInput({ name, taken, onRename, label }: { name: string; taken: readonly string[]; onRename: (to: string) => void; label?: string }) {
  const { t } = useTranslation("builder");
  const [typed, setTyped] = useState<string>();
  const shown = typed ?? name;
  const wrong = shown !== name && taken.includes(shown) ? t("nameTaken") : shown === "" ? t("nameMissing") : undefined;
  const leave = () => {
    if (!wrong && shown !== name) onRename(shown);
    setTyped(undefined);
  };
  return (
    <TextInput
      label={label ?? t("key")}
      value={shown}
      error={wrong}
      onChange={(event) => setTyped(event.currentTarget.value)}
      onBlur={leave}
      onKeyDown={(event) => event.key === "Enter" && leave()}
    />
  );
}

export function Group({ label, description, actions, children }: { label: string; description?: ReactNode; actions?: ReactNode; children: ReactNode }) {
  const id = useId();
  return (
    <div role="group" aria-labelledby={id} className={css.group}>
      <div className={css.groupHead} id={id}>
        {label}
      </div>
      {actions && <div className={css.groupActions}>{actions}</div>}
      {description && <p className={css.hint}>{description}</p>}
      {children}
    </div>
  );
}

export function Tool({ icon: Icon, text, onClick, disabled = false }: { icon: TablerIcon; text: string; onClick: () => void; disabled?: boolean }) {
  return (
    <ActionIcon size={24} aria-label={text} title={text} disabled={disabled} onClick={onClick}>
      <Icon size={14} />
    </ActionIcon>
  );
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A description of the schema: what stands in backticks is code. */
export function described(text: string | undefined): ReactNode {
  return text?.split("`").map((part, place) => (place % 2 === 1 ? <code key={place}>{part}</code> : part));
}
