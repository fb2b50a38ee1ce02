/**
 * Runs that begin with the same prefix do not all pay for writing it to the endpoint's cache: the first goes, and the
 * others wait until its answer has begun, and the entry can be read. When the first comes to nothing, the next one is the
 * first. Nobody waits longer than the limit. Times are milliseconds.
 */
export interface WarmGate {
  /** Resolves when a request with that prefix should go. Rejects with the signal's reason. */
  enter(prefix: string, signal: AbortSignal): Promise<Warming>;
}

export interface Warming {
  readonly hasWaited: boolean;
  /** Its answer has begun. */
  began(): void;
  /** It came to nothing, or is over. Nothing after `began`. */
  failed(): void;
}

export interface WarmGateOptions {
  now(): number;
  later(ms: number, wake: () => void): () => void;
}

const mostWaitMs = 10_000;
/** An entry that nobody reads is gone after five minutes; a little earlier we count it as gone. */
const warmMs = 4.5 * 60_000;
/** Prefixes to remember before those that are cold are forgotten. */
const mostPrefixes = 1_000;

interface Prefix {
  warmUntil: number;
  isWarming: boolean;
  waiting: Set<() => void>;
}

export function createWarmGate(options: WarmGateOptions): WarmGate {
  const prefixes = new Map<string, Prefix>();
  const prefixOf = (name: string): Prefix => {
    const known = prefixes.get(name);
    if (known) return known;
    if (prefixes.size >= mostPrefixes) forgetCold(prefixes, options.now());
    const fresh: Prefix = { warmUntil: Number.NEGATIVE_INFINITY, isWarming: false, waiting: new Set() };
    prefixes.set(name, fresh);
    return fresh;
  };
  return {
    async enter(name, signal) {
      const prefix = prefixOf(name);
      const goAt = options.now() + mostWaitMs;
      let hasWaited = false;
      while (prefix.isWarming && options.now() < goAt && prefix.warmUntil < options.now()) {
        hasWaited = true;
        await change(prefix, { ms: goAt - options.now(), signal, options });
      }
      return warming(prefix, { hasWaited, options });
    },
  };
}

function warming(prefix: Prefix, { hasWaited, options }: { hasWaited: boolean; options: WarmGateOptions }): Warming {
  const isFirst = !prefix.isWarming && prefix.warmUntil < options.now();
  if (isFirst) prefix.isWarming = true;
  let isOver = false;
  const end = (warmUntil: number) => {
    if (isOver) return;
    isOver = true;
    prefix.warmUntil = Math.max(prefix.warmUntil, warmUntil);
    if (isFirst) prefix.isWarming = false;
    wake(prefix);
  };
  return {
    hasWaited,
    began: () => end(options.now() + warmMs),
    failed: () => end(Number.NEGATIVE_INFINITY),
  };
}

/** Each looks anew, in the order they came: the first of them may be the one that warms it now. */
function wake(prefix: Prefix): void {
  const waiting = [...prefix.waiting];
  prefix.waiting.clear();
  for (const go of waiting) go();
}

function change(
  prefix: Prefix,
  { ms, signal, options }: { ms: number; signal: AbortSignal; options: WarmGateOptions },
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const leave = () => {
      prefix.waiting.delete(go);
      prevent();
      reject(signal.reason);
    };
    const go = () => {
      prefix.waiting.delete(go);
      prevent();
      signal.removeEventListener("abort", leave);
      resolve();
    };
    const prevent = options.later(Math.max(1, ms), go);
    signal.addEventListener("abort", leave, { once: true });
    prefix.waiting.add(go);
  });
}

function forgetCold(prefixes: Map<string, Prefix>, now: number): void {
  for (const [name, { warmUntil, isWarming, waiting }] of prefixes)
    if (!isWarming && waiting.size === 0 && warmUntil < now) prefixes.delete(name);
}
