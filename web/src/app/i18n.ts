/** Texts: one file a page and language, loaded when the page is. */
import i18next, { type BackendModule } from "i18next";
import { initReactI18next } from "react-i18next";

export const LANGUAGES = { en: "English", pl: "Polski" } as const;
export type Language = keyof typeof LANGUAGES;

const KEPT = "passerelle.language";
const files = import.meta.glob<{ default: Record<string, unknown> }>("../texts/*/*.json");

const backend: BackendModule = {
  type: "backend",
  init: () => undefined,
  read: (language, namespace, callback) => {
    const load = files[`../texts/${language}/${namespace}.json`];
    if (!load) return callback(new Error(`there are no texts ${language}/${namespace}`), false);
    load().then(
      (file) => callback(null, file.default),
      (error: Error) => callback(error, false),
    );
  },
};

function preferred(): Language {
  return document.documentElement.lang === "pl" ? "pl" : "en";
}

/** Load the texts that every page has. */
export async function startTexts(language: Language = preferred()): Promise<void> {
  await i18next
    .use(backend)
    .use(initReactI18next)
    .init({
      lng: language,
      supportedLngs: Object.keys(LANGUAGES),
      fallbackLng: "en",
      ns: ["common"],
      defaultNS: "common",
      interpolation: { escapeValue: false },
      returnNull: false,
    });
}

/** Show everything in another language from now on. */
export async function speak(language: Language): Promise<void> {
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
  try {
    localStorage.setItem(KEPT, language);
  } catch {
    // Storage is refused: it holds until the page is left.
  }
}
