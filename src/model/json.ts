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

/** A whole number of at least 0 that anybody could count to, or undefined; a fraction is rounded up. */
export function countAt(json: Json | undefined, key: string): number | undefined {
  const value = json?.[key];
  return typeof value === "number" && value >= 0 && value <= 1e12 ? Math.ceil(value) : undefined;
}

/** undefined where it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
