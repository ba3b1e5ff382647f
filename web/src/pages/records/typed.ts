/** From what was typed to what is sent. */
import type { Field } from "./types";

/** The value as the API takes it. What cannot be read is sent as it stands: the server's answer names the mistake. */
export function asValue(field: Field, typed: unknown): unknown {
  if (typeof typed !== "string") return typed ?? null;
  if (typed === "") return null;
  switch (field.type) {
    case "number":
    case "integer": {
      const number = Number(typed.replace(",", "."));
      return typed.trim() !== "" && Number.isFinite(number) ? number : typed;
    }
    case "json":
    case "array":
    case "attachment":
    case "multiselect":
      try {
        return JSON.parse(typed) as unknown;
      } catch {
        return typed;
      }
    default:
      return typed;
  }
}

/** Only what somebody changed: what another person changed meanwhile in other fields is not undone. */
export function changesOf(fields: readonly Field[], typed: ReadonlyMap<string, unknown>, before: Record<string, unknown>): Record<string, unknown> {
  const changes: Record<string, unknown> = {};
  for (const field of fields) {
    if (!typed.has(field.name)) continue;
    const value = asValue(field, typed.get(field.name));
    if (JSON.stringify(value) !== JSON.stringify(before[field.name] ?? null)) changes[field.name] = value;
  }
  return changes;
}
