/** Most alternatives that one pattern may stand for. */
const mostAlternatives = 256;

/**
 * `a{b,c}d` as `abd` and `acd`, nested ones too. Braces without a comma, without their other half or behind a
 * backslash stand for themselves. Undefined when there are too many.
 */
export function expandBraces(pattern: string): string[] | undefined {
  const done: string[] = [];
  const pending = [pattern];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const group = findGroup(next);
    if (group) pending.push(...group.parts.map((part) => group.before + part + group.after).toReversed());
    else done.push(next);
    if (done.length + pending.length > mostAlternatives) return undefined;
  }
  return [...new Set(done)];
}

interface Group {
  before: string;
  parts: string[];
  after: string;
}

/** The first pair of braces with a comma directly inside. */
function findGroup(pattern: string): Group | undefined {
  for (let open = nextPlain(pattern, "{", 0); open >= 0; open = nextPlain(pattern, "{", open + 1)) {
    const commas = commasIn(pattern, open);
    if (!commas || commas.length < 3) continue;
    const parts = commas.slice(1).map((end, index) => pattern.slice((commas[index] ?? open) + 1, end));
    return { before: pattern.slice(0, open), parts, after: pattern.slice((commas.at(-1) ?? open) + 1) };
  }
  return undefined;
}

/** Places of the brace, of its own commas, and of the brace that closes it; undefined if none does. */
function commasIn(pattern: string, open: number): number[] | undefined {
  const places = [open];
  let depth = 0;
  for (let at = open; at < pattern.length; at++) {
    const character = pattern[at];
    if (character === "\\") at++;
    else if (character === "{") depth++;
    else if (character === "," && depth === 1) places.push(at);
    else if (character === "}" && --depth === 0) return [...places, at];
  }
  return undefined;
}

function nextPlain(pattern: string, sought: string, from: number): number {
  for (let at = 0; at < pattern.length; at++) {
    if (pattern[at] === "\\") at++;
    else if (at >= from && pattern[at] === sought) return at;
  }
  return -1;
}
