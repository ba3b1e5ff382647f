import { useState } from "react";

const PREFIX = "passerelle.draft.";

/** A text that somebody types: it outlives leaving the page, a reload and the end of a session, until it is sent.
 * Kept in this tab alone. */
export function useDraft(key: string): [string, (text: string | ((before: string) => string)) => void] {
  const read = () => sessionStorage.getItem(PREFIX + key) ?? "";
  const [text, setText] = useState(read);
  const change = (next: string | ((before: string) => string)) => {
    const now = typeof next === "string" ? next : next(read());
    setText(now);
    if (now) sessionStorage.setItem(PREFIX + key, now);
    else sessionStorage.removeItem(PREFIX + key);
  };
  return [text, change];
}
