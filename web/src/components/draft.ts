import { useState } from "react";

import { useMe } from "@/app/auth";

const PREFIX = "passerelle.draft.";

/** A text that somebody types: it outlives leaving the page, a reload and the end of a session, until it is sent.
 * Kept in this tab alone, for this person alone: whoever signs in next does not see it, and signing out takes it away
 * (`sign-in.js`). */
export function useDraft(name: string): [string, (text: string | ((before: string) => string)) => void] {
  const key = `${PREFIX}${useMe().id}.${name}`;
  const read = () => sessionStorage.getItem(key) ?? "";
  const [text, setText] = useState(read);
  const change = (next: string | ((before: string) => string)) => {
    const now = typeof next === "string" ? next : next(read());
    setText(now);
    if (now) sessionStorage.setItem(key, now);
    else sessionStorage.removeItem(key);
  };
  return [text, change];
}
