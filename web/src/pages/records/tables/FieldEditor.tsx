import { ActionIcon, Checkbox, Group, Select, Textarea, TextInput } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconTrash } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { INDEXABLE, TYPES, WITH_OPTIONS, type FieldDraft } from "./drafts";
import css from "./Tables.module.css";

interface Props {
  draft: FieldDraft;
  place: number;
  count: number;
  /** The tables that a relation may lead to. */
  tables: readonly string[];
  error: string | undefined;
  onChange: (draft: FieldDraft) => void;
  onMove: (step: -1 | 1) => void;
  onRemove: () => void;
}

/** One field of a table, to be changed. */
export function FieldEditor({ draft, place, count, tables, error, onChange, onMove, onRemove }: Props) {
  const { t } = useTranslation("tables");
  const set = (next: Partial<FieldDraft>) => onChange({ ...draft, ...next });
  const name = draft.name || t("field.new");
  return (
    <fieldset className={css.field}>
      <legend className={css.legend}>{name}</legend>
      {error && (
        <p role="alert" className={css.error}>
          {error}
        </p>
      )}
      <div className={css.inputs}>
        <TextInput label={t("field.name")} value={draft.name} onChange={(event) => set({ name: event.currentTarget.value })} maxLength={63} required spellCheck={false} />
        <TextInput label={t("field.title")} value={draft.title} onChange={(event) => set({ title: event.currentTarget.value })} maxLength={200} />
        <Select
          label={t("field.type")}
          data={TYPES.map((type) => ({ value: type, label: t(`type.${type}`) }))}
          value={draft.type}
          onChange={(type) => type && set({ type, ...(!INDEXABLE.has(type) && { unique: false, indexed: false }) })}
          allowDeselect={false}
          searchable
        />
        {draft.type === "relation" && <Select label={t("field.table")} data={[...tables]} value={draft.table || null} onChange={(table) => set({ table: table ?? "" })} searchable required />}
        <TextInput label={t("field.pii")} description={t("field.piiHint")} inputWrapperOrder={["label", "input", "description", "error"]} value={draft.pii} onChange={(event) => set({ pii: event.currentTarget.value })} maxLength={60} />
        {WITH_OPTIONS.has(draft.type) && (
          <Textarea label={t("field.options")} description={t("field.optionsHint")} value={draft.options} onChange={(event) => set({ options: event.currentTarget.value })} autosize minRows={2} maxRows={10} required />
        )}
      </div>
      <Group gap="lg" mt="xs">
        <Checkbox size="xs" label={t("field.required")} checked={draft.required} onChange={(event) => set({ required: event.currentTarget.checked })} />
        <Checkbox size="xs" label={t("field.unique")} checked={draft.unique} disabled={!INDEXABLE.has(draft.type)} onChange={(event) => set({ unique: event.currentTarget.checked })} />
        <Checkbox size="xs" label={t("field.indexed")} checked={draft.indexed} disabled={!INDEXABLE.has(draft.type)} onChange={(event) => set({ indexed: event.currentTarget.checked })} />
        <Group gap={2} ml="auto">
          <ActionIcon aria-label={t("field.up", { name })} disabled={place === 0} onClick={() => onMove(-1)}>
            <IconArrowUp size={16} />
          </ActionIcon>
          <ActionIcon aria-label={t("field.down", { name })} disabled={place === count - 1} onClick={() => onMove(1)}>
            <IconArrowDown size={16} />
          </ActionIcon>
          <ActionIcon color="red" aria-label={t("field.remove", { name })} onClick={onRemove}>
            <IconTrash size={16} />
          </ActionIcon>
        </Group>
      </Group>
    </fieldset>
  );
}
