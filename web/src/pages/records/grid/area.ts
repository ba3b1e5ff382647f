/** Places in the grid, and blocks of them. Row 0 is the first record; row -1 the header; column 0 the row's own cell. */

export interface Place {
  row: number;
  column: number;
}

export interface Area {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

/** The block between two places, both included. */
export function between(one: Place, other: Place): Area {
  return {
    top: Math.min(one.row, other.row),
    bottom: Math.max(one.row, other.row),
    left: Math.min(one.column, other.column),
    right: Math.max(one.column, other.column),
  };
}

export function sizeOf(area: Area): number {
  return (area.bottom - area.top + 1) * (area.right - area.left + 1);
}

/** Where a key leads, within a grid of this size; undefined for a key that leads nowhere. */
export function moved(from: Place, key: string, mod: boolean, size: { rows: number; columns: number; page: number }): Place | undefined {
  const last = { row: size.rows - 1, column: size.columns - 1 };
  const clamp = (row: number, column: number): Place => ({
    row: Math.max(-1, Math.min(row, last.row)),
    column: Math.max(0, Math.min(column, last.column)),
  });
  switch (key) {
    case "ArrowUp":
      return mod ? clamp(from.row <= 0 ? -1 : 0, from.column) : clamp(from.row - 1, from.column);
    case "ArrowDown":
      return mod ? clamp(last.row, from.column) : clamp(from.row + 1, from.column);
    case "ArrowLeft":
      return mod ? clamp(from.row, 0) : clamp(from.row, from.column - 1);
    case "ArrowRight":
      return mod ? clamp(from.row, last.column) : clamp(from.row, from.column + 1);
    case "Home":
      return mod ? clamp(0, 0) : clamp(from.row, 0);
    case "End":
      return mod ? clamp(last.row, last.column) : clamp(from.row, last.column);
    case "PageUp":
      return clamp(Math.max(0, from.row - size.page), from.column);
    case "PageDown":
      return clamp(from.row + size.page, from.column);
    default:
      return undefined;
  }
}
