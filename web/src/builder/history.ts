/** What was done with a text, to undo and redo it without end: one history for drawing, forms and typing. */
export interface Change {
  from: number;
  removed: string;
  inserted: string;
}

/** The one part in which two texts differ. */
export function changeBetween(before: string, after: string): Change {
  let from = 0;
  const shorter = Math.min(before.length, after.length);
  while (from < shorter && before[from] === after[from]) from += 1;
  let behind = 0;
  while (behind < shorter - from && before[before.length - 1 - behind] === after[after.length - 1 - behind]) behind += 1;
  return { from, removed: before.slice(from, before.length - behind), inserted: after.slice(from, after.length - behind) };
}

export function redone(text: string, { from, removed, inserted }: Change): string {
  return text.slice(0, from) + inserted + text.slice(from + removed.length);
}

export function undone(text: string, { from, removed, inserted }: Change): string {
  return text.slice(0, from) + removed + text.slice(from + inserted.length);
}

/** Both changes of one text, where they are apart; undefined where they touch: people decide then. */
export function merged(base: string, mine: string, theirs: string): string | undefined {
  const [own, other] = [changeBetween(base, mine), changeBetween(base, theirs)];
  if (mine === theirs || theirs === base) return mine;
  if (mine === base) return theirs;
  const [first, second] = own.from <= other.from ? [own, other] : [other, own];
  if (first.from + first.removed.length >= second.from) return undefined;
  // The later one first: it does not move what stands before it.
  return redone(redone(base, second), first);
}

export interface History {
  text: string;
  past: readonly Change[];
  future: readonly Change[];
  /** What the newest change belongs to: more of the same is one change. */
  group: string | undefined;
}

export function begun(text: string): History {
  return { text, past: [], future: [], group: undefined };
}

/** A new text. Changes of one `group` that follow one another are undone together. */
export function changed(history: History, text: string, group?: string): History {
  if (text === history.text) return history;
  const last = history.past.at(-1);
  if (group !== undefined && group === history.group && last && history.future.length === 0) {
    const before = undone(history.text, last);
    return { text, past: [...history.past.slice(0, -1), changeBetween(before, text)], future: [], group };
  }
  return { text, past: [...history.past, changeBetween(history.text, text)], future: [], group };
}

export function undo(history: History): History {
  const last = history.past.at(-1);
  if (!last) return history;
  return { text: undone(history.text, last), past: history.past.slice(0, -1), future: [last, ...history.future], group: undefined };
}

export function redo(history: History): History {
  const [next, ...rest] = history.future;
  if (!next) return history;
  return { text: redone(history.text, next), past: [...history.past, next], future: rest, group: undefined };
}
