import { Button, Group } from "@mantine/core";
import { useState, type FormEvent, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { ApiError } from "@/api/errors";
import { Allowed } from "@/components/Allowed";
import { Failure } from "@/components/Failure";
import { FieldInput } from "./FieldInput";
import { changesOf } from "./typed";
import type { Field } from "./types";
import css from "./Records.module.css";

interface Props {
  fields: readonly Field[];
  values: Record<string, unknown>;
  /** What the button says. */
  action: string;
  /** Sends the changes; throws what the server says. */
  save: (changes: Record<string, unknown>) => Promise<void>;
  /** What stands above the form, such as what another person changed meanwhile. */
  notice?: ReactNode;
  /** The record that is changed. */
  of?: { table: string; recordId: string };
}

/** A record's fields, to be changed. Nothing typed is lost by a refusal, and each mistake stands at its field. */
export function RecordForm({ fields, values, action, save, notice, of }: Props) {
  const { t } = useTranslation("records");
  const [typed, setTyped] = useState<ReadonlyMap<string, unknown>>(new Map());
  const [error, setError] = useState<unknown>();
  const [saving, setSaving] = useState(false);
  const changes = changesOf(fields, typed, values);
  const changed = Object.keys(changes).length > 0;
  const problems = problemsOf(error, fields);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setSaving(true);
    setError(undefined);
    try {
      await save(changes);
      setTyped(new Map());
    } catch (failure) {
      setError(failure);
    } finally {
      setSaving(false);
    }
  };
  return (
    <form onSubmit={(event) => void submit(event)} noValidate>
      {notice}
      {error !== undefined && !(error instanceof ApiError && problems.size === error.problems.length) && <Failure error={error} />}
      <div className={css.fields}>
        {fields.map((field) => (
          <FieldInput
            key={field.name}
            field={field}
            value={typed.has(field.name) ? typed.get(field.name) : values[field.name]}
            onChange={(value) => setTyped((before) => new Map(before).set(field.name, value))}
            error={problems.get(field.name)}
            of={of}
          />
        ))}
      </div>
      <Group mt="md">
        <Allowed by="can_edit_data" reason={changed ? undefined : t("form.unchanged")}>
          <Button type="submit" loading={saving}>
            {action}
          </Button>
        </Allowed>
        {changed && (
          <Button variant="subtle" onClick={() => setTyped(new Map())}>
            {t("form.reset")}
          </Button>
        )}
      </Group>
    </form>
  );
}

/** What the server says, by the field that it says it of. */
function problemsOf(error: unknown, fields: readonly Field[]): Map<string, string> {
  const found = new Map<string, string>();
  if (!(error instanceof ApiError)) return found;
  for (const { pointer, message } of error.problems) {
    const name = pointer?.split("/")[1];
    if (name !== undefined && fields.some((field) => field.name === name)) found.set(name, message);
  }
  return found;
}
