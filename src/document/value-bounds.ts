/** A value is looked at part by part, never by recursion: it may be nested deeper than the stack. */
export interface ValueBounds {
  depth: number;
  /** Values in all, written out: what an alias stands for counts each time. */
  values: number;
  /** UTF-16 units of all texts and keys. */
  characters: number;
}

/** Where a JSON value goes beyond its bounds, or holds a key that no object should have; undefined when it is well. */
export function excessOf(
  value: unknown,
  bounds: ValueBounds,
): { path: readonly (string | number)[]; reason: string } | undefined {
  const left = { ...bounds };
  const queue: Part[] = [{ value, path: undefined, depth: 0 }];
  for (let part = queue.pop(); part; part = queue.pop()) {
    left.values--;
    left.characters -= (typeof part.value === "string" ? part.value.length : 0) + keyLength(part);
    const reason = excess(part, left, bounds);
    if (reason) return { path: pathOf(part.path), reason };
    for (const inner of insides(part)) queue.push(inner);
  }
  return undefined;
}

interface Part {
  value: unknown;
  path: Path | undefined;
  depth: number;
}

/** Shared with the part above, so that a long list of deep values costs no copies. */
interface Path {
  above: Path | undefined;
  key: string | number;
}

function keyLength({ path }: Part): number {
  return typeof path?.key === "string" ? path.key.length : 0;
}

function excess({ depth, path }: Part, left: ValueBounds, bounds: ValueBounds): string | undefined {
  if (path?.key === "__proto__") return 'the key "__proto__" is not allowed; use another name';
  if (depth > bounds.depth) return `nested more than ${bounds.depth} levels deep; flatten it`;
  if (left.values < 0) return `more than ${bounds.values} values; split it`;
  return left.characters < 0 ? `more than ${bounds.characters} characters in all; split it` : undefined;
}

function insides({ value, path: above, depth }: Part): Part[] {
  if (typeof value !== "object" || value === null) return [];
  const entries: [string | number, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return entries.reverse().map(([key, inner]) => ({ value: inner, path: { above, key }, depth: depth + 1 }));
}

function pathOf(path: Path | undefined): (string | number)[] {
  const keys: (string | number)[] = [];
  for (let part = path; part; part = part.above) keys.push(part.key);
  return keys.reverse();
}
