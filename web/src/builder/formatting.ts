/** Markdown by buttons: a text with what is selected in it, and the same after a button was pressed. */
export interface Selected {
  text: string;
  from: number;
  to: number;
}

/** What is selected, or the word around the caret, between two marks (`**`); without them where they are there already. */
export function marked(selected: Selected, mark: string): Selected {
  const { text, from, to } = selected.from === selected.to ? wordAt(selected) : selected;
  const inside = text.slice(from, to);
  const [start, end] = [from + inside.length - inside.trimStart().length, to - inside.length + inside.trimEnd().length];
  const size = mark.length;
  if (isBetween(text, start, end, mark)) return { text: text.slice(0, start - size) + text.slice(start, end) + text.slice(end + size), from: start - size, to: end - size };
  return { text: text.slice(0, start) + mark + text.slice(start, end) + mark + text.slice(end), from: start + size, to: end + size };
}

function wordAt({ text, from }: Selected): Selected {
  const before = /[\p{L}\p{N}]*$/u.exec(text.slice(0, from))![0].length;
  const after = /^[\p{L}\p{N}]*/u.exec(text.slice(from))![0].length;
  return { text, from: from - before, to: from + after };
}

/** Whether these very marks stand around: those of bold are not those of italics. */
function isBetween(text: string, from: number, to: number, mark: string): boolean {
  const before = /\*+$/.exec(text.slice(0, from))?.[0].length ?? 0;
  const after = /^\*+/.exec(text.slice(to))?.[0].length ?? 0;
  const both = Math.min(before, after);
  return mark === "**" ? both >= 2 : both === 1 || both === 3;
}

/** What is selected as the words of a link; where it leads to is selected then. */
export function linked({ text, from, to }: Selected): Selected {
  const words = text.slice(from, to) || "…";
  const target = "https://";
  const start = from + words.length + 3;
  return { text: `${text.slice(0, from)}[${words}](${target})${text.slice(to)}`, from: start, to: start + target.length };
}

export type LineMark = "heading" | "list" | "numbers";

const LINES: Record<LineMark, { is: RegExp; as: (place: number) => string }> = {
  heading: { is: /^#{1,6}[ \t]+/, as: () => "## " },
  list: { is: /^[-*+][ \t]+/, as: () => "- " },
  numbers: { is: /^\d{1,9}[.)][ \t]+/, as: (place) => `${place + 1}. ` },
};
const ANY = /^(?:#{1,6}|[-*+]|\d{1,9}[.)])[ \t]+/;

/** The lines that are selected as a heading or a list; as plain lines where they are that already. */
export function lined({ text, from, to }: Selected, mark: LineMark): Selected {
  const start = text.lastIndexOf("\n", from - 1) + 1;
  const found = text.indexOf("\n", to);
  const end = found < 0 ? text.length : found;
  const lines = text.slice(start, end).split("\n");
  const { is, as } = LINES[mark];
  const all = lines.every((line) => is.test(line) || line.trim() === "") && lines.some((line) => line.trim() !== "");
  let place = 0;
  const written = lines.map((line) => (line.trim() === "" && lines.length > 1 ? line : all ? line.replace(is, "") : as(place++) + line.replace(ANY, ""))).join("\n");
  return { text: text.slice(0, start) + written + text.slice(end), from: start, to: start + written.length };
}

/** A text in the place of what is selected; the caret stands behind it. */
export function inserted({ text, from, to }: Selected, what: string): Selected {
  return { text: text.slice(0, from) + what + text.slice(to), from: from + what.length, to: from + what.length };
}

/** The expression that is being typed at the caret: where it begins, behind its `${`; undefined where none is. */
export function expressionAt(text: string, caret: number): number | undefined {
  const open = text.lastIndexOf("${", caret - 1);
  return open < 0 || /[}\n]/.test(text.slice(open, caret)) ? undefined : open + 2;
}
