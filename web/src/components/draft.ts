import { useState } from "react";

const PREFIX = "passerelle.draft.";

/** A text that somebody types: it outlives leaving the page, a reload and the end of a session, until it is sent.
 * Kept in this tab alone. */
export function useDraft(key: string): [string, (text: string) => void] {
  const [text, setText] = useState(() => sessionStorage.getItem(PREFIX + key) ?? "");
  const change = (next: string) => {
    setText(next);
    if (next) sessionStorage.setItem(PREFIX + key, next);
    else sessionStorage.removeItem(PREFIX + key);
  };
  return [text, change];
}
