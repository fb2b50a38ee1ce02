/** JSON that somebody else wrote: nothing of it is believed before it is looked at. */
export type Json = Readonly<Record<string, unknown>>;

export function asObject(value: unknown): Json | undefined {
  return isObject(value) ? value : undefined;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The text at `key`; "" where there is none. */
export function textAt(json: Json | undefined, key: string): string {
  const value = json?.[key];
  return typeof value === "string" ? value : "";
}

/** A whole number of at least 0, or undefined; a fraction is rounded up, and nobody counts further than to 1e9. */
export function countAt(json: Json | undefined, key: string): number | undefined {
  const value = json?.[key];
  return typeof value === "number" && value >= 0 ? Math.min(Math.ceil(value), mostCounted) : undefined;
}

/** Of tokens in one request: sums and prices of many such stay exact. */
const mostCounted = 1e9;

/** Whether arrays and objects stand in each other deeper than `most`. Takes no stack, however deep they are. */
export function isDeeperThan(most: number, value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    const inner = level.flatMap((each) => (typeof each === "object" && each !== null ? [each] : []));
    if (inner.length > 0 && depth >= most) return true;
    level = inner.flatMap((each): unknown[] => Object.values(each));
  }
  return false;
}

/** undefined where it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
