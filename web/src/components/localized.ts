/** A text of a definition: one for all, or one for each language. */
export function localized(text: unknown, language: string): string {
  if (typeof text === "string") return text;
  if (typeof text !== "object" || text === null) return "";
  const texts = text as Record<string, unknown>;
  const found = texts[language] ?? texts["en"] ?? Object.values(texts)[0];
  return typeof found === "string" ? found : "";
}
