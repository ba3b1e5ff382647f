/** What is different between two values. */
export interface Difference {
  path: string;
  left: unknown;
  right: unknown;
}

const MOST = 200;

/** Every value that is another one on the other side, by its path: `output.owners.0.name`. */
export function differences(left: unknown, right: unknown, path = ""): Difference[] {
  if (Object.is(left, right)) return [];
  if (isObject(left) && isObject(right) && Array.isArray(left) === Array.isArray(right)) {
    const names = [...new Set([...Object.keys(left), ...Object.keys(right)])];
    return names.flatMap((name) => differences(left[name], right[name], path ? `${path}.${name}` : name)).slice(0, MOST);
  }
  return [{ path, left, right }];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
