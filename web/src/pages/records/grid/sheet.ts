/** Blocks of cells as spreadsheets put them on the clipboard: tabs between cells, line breaks between rows. */

/** The cells of a text. A cell in quotes may hold tabs, line breaks and doubled quotes. */
export function fromSheet(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  const end = /\r?\n$/.test(text) ? text.length - (text.endsWith("\r\n") ? 2 : 1) : text.length;
  while (at <= end) {
    let cell = "";
    if (text[at] === '"' && isClosed(text, at, end)) {
      at += 1;
      while (at < end && !(text[at] === '"' && text[at + 1] !== '"')) {
        cell += text[at];
        at += text[at] === '"' ? 2 : 1;
      }
      at += 1;
    } else {
      const from = at;
      while (at < end && text[at] !== "\t" && text[at] !== "\n") at += 1;
      cell = text.slice(from, at).replace(/\r$/, "");
    }
    row.push(cell);
    if (at < end && text[at] === "\t") {
      at += 1;
      continue;
    }
    rows.push(row);
    row = [];
    if (text[at] === "\r") at += 1;
    at += 1;
  }
  return rows;
}

/** Whether the quote at a place opens a cell that is closed before a tab or the end: an inch sign does not. */
function isClosed(text: string, at: number, end: number): boolean {
  let place = at + 1;
  while (place < end) {
    if (text[place] === '"') {
      if (text[place + 1] !== '"') return place + 1 >= end || /[\t\r\n]/.test(text[place + 1] ?? "");
      place += 1;
    }
    place += 1;
  }
  return false;
}

/** Cells as a text that spreadsheets take. */
export function toSheet(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => row.map(cell).join("\t")).join("\n");
}

function cell(text: string): string {
  return /[\t\r\n"]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const FORMULA = /^'*[=+\-@\t\r\n]/;

/** A text that no spreadsheet takes for a formula; `asItWas` gives back every text as it was. */
export function madeSafe(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text;
}

export function asItWas(text: string): string {
  return text.startsWith("'") && FORMULA.test(text) ? text.slice(1) : text;
}
