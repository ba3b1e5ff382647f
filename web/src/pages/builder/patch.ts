/** A unified diff, for those whose definitions come from files. */
const CONTEXT = 3;

interface Line {
  sign: " " | "-" | "+";
  text: string;
}

/** The patch that makes `after` of `before`; empty where they are the same. */
export function patchOf(name: string, before: string, after: string): string {
  const lines = compared(before.split("\n"), after.split("\n"));
  const changed = lines.flatMap((line, place) => (line.sign === " " ? [] : [place]));
  if (changed.length === 0) return "";
  const hunks: [number, number][] = [];
  for (const place of changed) {
    const [from, to] = [Math.max(0, place - CONTEXT), Math.min(lines.length, place + CONTEXT + 1)];
    const last = hunks.at(-1);
    if (last && from <= last[1]) last[1] = to;
    else hunks.push([from, to]);
  }
  const written = hunks.map(([from, to]) => {
    const count = (sign: "-" | "+", until: number, since = 0) => lines.slice(since, until).filter((line) => line.sign === " " || line.sign === sign).length;
    const head = `@@ -${count("-", from) + 1},${count("-", to, from)} +${count("+", from) + 1},${count("+", to, from)} @@`;
    return [head, ...lines.slice(from, to).map((line) => line.sign + line.text)].join("\n");
  });
  return [`--- a/${name}.yaml`, `+++ b/${name}.yaml`, ...written].join("\n") + "\n";
}

/** Lines with what became of them: what is the same at both ends, and in between the longest common lines. */
function compared(before: readonly string[], after: readonly string[]): Line[] {
  let top = 0;
  while (top < before.length && top < after.length && before[top] === after[top]) top += 1;
  let end = 0;
  while (end < before.length - top && end < after.length - top && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  const middle = common(before.slice(top, before.length - end), after.slice(top, after.length - end));
  const same = (text: string): Line => ({ sign: " ", text });
  return [...before.slice(0, top).map(same), ...middle, ...before.slice(before.length - end).map(same)];
}

const MOST_CELLS = 4_000_000;

function common(before: readonly string[], after: readonly string[]): Line[] {
  const [height, width] = [before.length, after.length];
  // Beyond this the whole middle is said to be another: right, only longer.
  if (height * width > MOST_CELLS) return [...before.map((text): Line => ({ sign: "-", text })), ...after.map((text): Line => ({ sign: "+", text }))];
  const longest = new Uint32Array((height + 1) * (width + 1));
  const at = (row: number, column: number) => longest[row * (width + 1) + column]!;
  for (let row = height - 1; row >= 0; row -= 1) {
    for (let column = width - 1; column >= 0; column -= 1) {
      longest[row * (width + 1) + column] = before[row] === after[column] ? at(row + 1, column + 1) + 1 : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const lines: Line[] = [];
  let [row, column] = [0, 0];
  while (row < height || column < width) {
    if (row < height && column < width && before[row] === after[column]) {
      lines.push({ sign: " ", text: before[row]! });
      row += 1;
      column += 1;
    } else if (row < height && (column === width || at(row + 1, column) >= at(row, column + 1))) {
      lines.push({ sign: "-", text: before[row]! });
      row += 1;
    } else {
      lines.push({ sign: "+", text: after[column]! });
      column += 1;
    }
  }
  return lines;
}
