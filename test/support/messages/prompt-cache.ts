import { type Block, type Body, blocksOf, type CacheControl } from "./body.ts";

/**
 * Counts tokens and keeps the prefixes that a request asked to keep: tools, then system, then messages, up to each
 * breakpoint. It holds no prefix that nobody marked, and none can be read before its writer's answer has begun.
 * https://platform.claude.com/docs/en/build-with-claude/prompt-caching, "How automatic prefix checking works".
 */
export interface Counted {
  input_tokens: number;
  cache_creation_input_tokens: number;
  cache_read_input_tokens: number;
  cache_creation: { ephemeral_5m_input_tokens: number; ephemeral_1h_input_tokens: number };
}

export interface PromptCache {
  /** What the request would be billed; `begin` is called when its answer begins, and makes what it wrote readable. */
  count(body: Body): { counted: Counted; total: number; begin(): void };
}

/** Blocks that are looked at before each breakpoint, itself included. */
const lookback = 20;
const lifeMs = { "5m": 300_000, "1h": 3_600_000 };

export function createPromptCache({
  leastTokens = 1_024,
  now = Date.now,
}: {
  leastTokens?: number;
  now?: () => number;
} = {}): PromptCache {
  const roots = new Map<string, Prefix>();
  return {
    count(body) {
      const root = roots.get(body.model) ?? { tokens: 0, next: new Map() };
      roots.set(body.model, root);
      const { path, marks } = walk(root, body);
      const total = path.at(-1)?.tokens ?? 0;
      const able = marks.filter(({ at }) => (path[at]?.tokens ?? 0) >= leastTokens);
      const read = longestKept(path, able, now());
      const counted = bill(path, able, { read, total });
      const begin = () => {
        for (const { at, ttl } of able) keep(path[at], ttl, now());
        refresh(path[read], now());
      };
      return { counted, total, begin };
    },
  };
}

/** One block after those before it; equal beginnings of requests are equal objects. */
interface Prefix {
  /** Of everything up to and with this block. */
  tokens: number;
  next: Map<string, Prefix>;
  kept?: { until: number };
}

interface Mark {
  /** Place in the path. */
  at: number;
  ttl: "5m" | "1h";
}

function walk(root: Prefix, body: Body): { path: Prefix[]; marks: Mark[] } {
  const path: Prefix[] = [];
  const marks: Mark[] = [];
  let here = root;
  const step = (kind: string, block: { cache_control?: CacheControl | null }) => {
    const { cache_control, ...bare } = block;
    const text = JSON.stringify(bare);
    const name = kind + text;
    let next = here.next.get(name);
    if (!next) {
      next = { tokens: here.tokens + tokensOf(text), next: new Map() };
      here.next.set(name, next);
    }
    here = next;
    path.push(here);
    if (cache_control) marks.push({ at: path.length - 1, ttl: cache_control.ttl ?? "5m" });
  };
  for (const tool of body.tools ?? []) step("tool", tool);
  for (const block of blocksOf(body.system)) step("system", block);
  for (const { role, content } of body.messages) for (const block of blocksOf(content)) step(role, block);
  if (body.cache_control && path.length > 0) marks.push({ at: path.length - 1, ttl: body.cache_control.ttl ?? "5m" });
  return { path, marks };
}

/** One for four bytes, and the frame of a block is counted with it: the same for everybody, and quick. */
export function tokensOf(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 4);
}

/** Place of the last block of the longest prefix that can be read; -1 for none. */
function longestKept(path: readonly Prefix[], marks: readonly Mark[], now: number): number {
  let longest = -1;
  for (const { at } of marks) {
    for (let place = at; place > at - lookback && place > longest; place--) {
      if ((path[place]?.kept?.until ?? 0) > now) longest = place;
    }
  }
  return longest;
}

function bill(
  path: readonly Prefix[],
  marks: readonly Mark[],
  { read, total }: { read: number; total: number },
): Counted {
  const upTo = (place: number) => path[place]?.tokens ?? 0;
  const written = { "5m": 0, "1h": 0 };
  let done = upTo(read);
  for (const { at, ttl } of marks.toSorted((a, b) => a.at - b.at)) {
    written[ttl] += Math.max(0, upTo(at) - done);
    done = Math.max(done, upTo(at));
  }
  return {
    input_tokens: total - done,
    cache_creation_input_tokens: written["5m"] + written["1h"],
    cache_read_input_tokens: upTo(read),
    cache_creation: { ephemeral_5m_input_tokens: written["5m"], ephemeral_1h_input_tokens: written["1h"] },
  };
}

function keep(prefix: Prefix | undefined, ttl: Mark["ttl"], now: number): void {
  if (prefix) prefix.kept = { until: Math.max(prefix.kept?.until ?? 0, now + lifeMs[ttl]) };
}

/** A read makes the entry young again. */
function refresh(prefix: Prefix | undefined, now: number): void {
  if (prefix?.kept) keep(prefix, "5m", now);
}

/** Tokens of an answer's blocks. */
export function answerTokens(content: readonly Block[]): number {
  return content.reduce((sum, block) => sum + tokensOf(JSON.stringify(block)), 0);
}
