/** What of a grid can be seen. Rows are alike in height, so a million of them need no list of their places. */
import type { GridColumn } from "./layout";
import { ROW_CELL } from "./layout";

export const ROW = 32;
export const HEAD = 34;
const ABOVE_AND_BELOW = 6;
const BESIDE = 1;
/** More rows than fit on the screen that are drawn: above, below, and two that are cut. */
const SPARE = 2 * ABOVE_AND_BELOW + 2;

export interface Seen {
  /** The first row, and the one behind the last. */
  first: number;
  end: number;
  /** The first column, and the one behind the last. */
  left: number;
  right: number;
  /** Rows that fit on the screen. */
  page: number;
  /** Rows that are drawn, where there are so many. */
  drawn: number;
  /** How tall all rows are, as far as the browser can scroll. */
  tall: number;
  /** What is added to a row's place: not 0 where the browser cannot scroll as far as there are rows. */
  shift: number;
}

/** Browsers cap the height of an element: Chromium at some 33 million pixels, Firefox at 17. */
let tallest: number | undefined;
function cap(): number {
  if (tallest === undefined) {
    const probe = document.createElement("div");
    probe.style.cssText = "position:absolute;width:1px;height:32000000px;visibility:hidden";
    document.body.append(probe);
    tallest = probe.offsetHeight >= 32_000_000 ? 32_000_000 : 8_000_000;
    probe.remove();
  }
  return tallest;
}

export class Viewport {
  private element: HTMLElement | undefined;
  private rows = 0;
  private columns: readonly GridColumn[] = [];
  private seen: Seen = { first: 0, end: 0, left: 0, right: 0, page: 10, drawn: 10 + SPARE, tall: 0, shift: 0 };
  private readonly listeners = new Set<() => void>();

  attach = (element: HTMLElement | null): (() => void) | undefined => {
    if (!element) return undefined;
    this.element = element;
    const look = () => this.look();
    const sizes = new ResizeObserver(look);
    element.addEventListener("scroll", look, { passive: true });
    sizes.observe(element);
    this.look();
    return () => {
      element.removeEventListener("scroll", look);
      sizes.disconnect();
      this.element = undefined;
    };
  };

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  get = (): Seen => this.seen;

  getLeft = (): number => this.seen.left;

  getRight = (): number => this.seen.right;

  /** What there is to be seen. */
  set(rows: number, columns: readonly GridColumn[]): void {
    this.rows = rows;
    this.columns = columns;
    this.look();
  }

  /** Scroll as little as it takes to show a cell; row -1 is the header. */
  show(row: number, column: number): void {
    const element = this.element;
    if (!element) return;
    const { clientHeight, clientWidth } = element;
    if (row >= 0) {
      const top = row * ROW + this.seen.shift;
      if (top < element.scrollTop) this.scrollTo(row, 0);
      else if (top + ROW > element.scrollTop + clientHeight - HEAD) this.scrollTo(row, clientHeight - HEAD - ROW);
    }
    const shown = this.columns[column - 1];
    if (!shown) return;
    if (shown.start - ROW_CELL < element.scrollLeft) element.scrollLeft = shown.start - ROW_CELL;
    else if (shown.start + shown.width > element.scrollLeft + clientWidth) {
      element.scrollLeft = Math.min(shown.start - ROW_CELL, shown.start + shown.width - clientWidth);
    }
  }

  /** Scroll so that a row stands so far below the header. */
  private scrollTo(row: number, below: number): void {
    if (!this.element) return;
    const wanted = row * ROW - below;
    this.element.scrollTop = this.seen.shift === 0 && this.ratio === 1 ? wanted : wanted / this.ratio;
    this.look();
  }

  /** How far rows move for each pixel that is scrolled. */
  private get ratio(): number {
    const height = (this.element?.clientHeight ?? 0) - HEAD;
    const all = this.rows * ROW;
    return all <= cap() ? 1 : (all - height) / (cap() - height);
  }

  private look(): void {
    const element = this.element;
    if (!element) return;
    const height = Math.max(0, element.clientHeight - HEAD);
    const all = this.rows * ROW;
    const offset = element.scrollTop * this.ratio;
    const page = Math.max(1, Math.floor(height / ROW));
    const first = Math.max(0, Math.floor(offset / ROW) - ABOVE_AND_BELOW);
    const drawn = page + SPARE;
    const end = Math.min(this.rows, first + drawn);
    const next: Seen = { first, end, page, drawn, ...this.sideways(element), tall: Math.min(all, cap()), shift: Math.round(element.scrollTop - offset) };
    if (Object.entries(next).every(([name, value]) => this.seen[name as keyof Seen] === value)) return;
    this.seen = next;
    for (const listener of this.listeners) listener();
  }

  private sideways({ scrollLeft, clientWidth }: HTMLElement): { left: number; right: number } {
    const begin = this.columns.findIndex(({ start, width }) => start + width > scrollLeft + ROW_CELL);
    const beyond = this.columns.findIndex(({ start }) => start >= scrollLeft + clientWidth);
    const left = begin < 0 ? 0 : Math.max(0, begin - BESIDE);
    return { left, right: beyond < 0 ? this.columns.length : Math.min(this.columns.length, beyond + BESIDE) };
  }
}
