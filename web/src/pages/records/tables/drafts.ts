/** A table as it is being changed, and as the API takes it. */
import { localized } from "@/components/localized";
import type { Field, Table } from "../types";

export interface FieldDraft {
  /** Tells drafts apart; no part of the table. */
  key: string;
  /** The field as it is; none for a new one. */
  was: Field | undefined;
  name: string;
  type: string;
  title: string;
  required: boolean;
  unique: boolean;
  indexed: boolean;
  /** One option a line: `value`, or `value | title`. */
  options: string;
  table: string;
  pii: string;
}

export const TYPES = [
  "text", "number", "integer", "date", "datetime", "checkbox", "singleSelect", "multiselect",
  "email", "phone", "relation", "assignee", "attachment", "idField", "array", "json",
] as const;
export const INDEXABLE = new Set(["text", "number", "integer", "date", "datetime", "checkbox", "singleSelect", "assignee", "idField", "email", "phone", "relation"]);
export const WITH_OPTIONS = new Set(["singleSelect", "multiselect"]);

export function draftOf(field: Field, language: string): FieldDraft {
  return {
    key: field.name,
    was: field,
    name: field.name,
    type: field.type,
    title: localized(field.title, language),
    required: field.required ?? false,
    unique: field.unique ?? false,
    indexed: field.indexed ?? false,
    options: (field.options ?? []).map(({ value, title }) => [value, localized(title, language)].filter((one) => one !== "").join(" | ")).join("\n"),
    table: field.table ?? "",
    pii: field.pii ?? "",
  };
}

export function newDraft(): FieldDraft {
  return { key: crypto.randomUUID(), was: undefined, name: "", type: "text", title: "", required: false, unique: false, indexed: false, options: "", table: "", pii: "" };
}

/** The fields as the API takes them; what the form does not know of a field stays as it is. */
export function bodyOf(drafts: readonly FieldDraft[], language: string): Record<string, unknown>[] {
  return drafts.map((draft) => {
    const { was } = draft;
    return {
      ...(was as Record<string, unknown> | undefined),
      name: draft.name.trim(),
      type: draft.type,
      title: titled(was?.title, draft.title, language),
      required: draft.required,
      unique: draft.unique,
      indexed: draft.indexed,
      options: WITH_OPTIONS.has(draft.type) ? optionsOf(draft.options, was, language) : null,
      table: draft.type === "relation" ? draft.table || null : null,
      pii: draft.pii.trim() || null,
      ...(was && was.name !== draft.name.trim() && { renamedFrom: was.name }),
      ...(was && was.type !== draft.type && { default: null }),
    };
  });
}

function optionsOf(text: string, was: Field | undefined, language: string): { value: string; title?: unknown }[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map((line) => {
      const [value = "", title = ""] = line.split("|").map((part) => part.trim());
      return { value, title: titled(was?.options?.find((one) => one.value === value)?.title, title, language) };
    });
}

/** A title with this text in this language: others are kept. */
export function titled(was: unknown, text: string, language: string): unknown {
  const plain = text.trim();
  if (plain === localized(was, language)) return was ?? null;
  if (typeof was === "object" && was !== null) return plain === "" ? was : { ...was, [language]: plain };
  return plain === "" ? null : plain;
}

/** Whether anything differs from the table as it is. */
export function isChanged(table: Table, name: string, title: string, drafts: readonly FieldDraft[], language: string): boolean {
  const before = JSON.stringify(table.fields.map((field) => draftOf(field, language)));
  return name !== table.name || title !== localized(table.title, language) || JSON.stringify(drafts) !== before;
}
