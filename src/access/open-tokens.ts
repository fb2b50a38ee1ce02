import { timingSafeEqual } from "node:crypto";
import type { Log } from "../log/log.ts";
import type { Clock } from "../protocol/ids.ts";
import { createToken, type Made, type NewToken, type Refused, revokeToken, rotateToken } from "./change-tokens.ts";
import { type Scope, type TokenView, viewOf } from "./token.ts";
import { type KnownTokens, makeFirstToken, readTokens, sha256, versionOf } from "./token-file.ts";

/** Who may use the server over TCP. A token that is added, changed or taken out counts within a second, without a restart. */
export interface Tokens {
  /** The token of that secret. Looking takes the same time whichever it is, and whether there is one. */
  find(secret: string): Promise<Token | undefined>;
  list(): Promise<TokenView[]>;
  create(order: NewToken): Promise<Made | Refused>;
  rotate(name: string, graceMs: number): Promise<Made | Refused>;
  /** The last token that may do all stays. */
  revoke(name: string): Promise<TokenView | Refused>;
}

export interface Token {
  name: string;
  scopes: readonly Scope[];
}

/** Makes both files at the first start. Throws Fault `credentials` for one that cannot be used. */
export async function openTokens(home: string, { clock, log }: { clock: Clock; log: Log }): Promise<Tokens> {
  await makeFirstToken(home, clock);
  let current = await readTokens(home);
  let secrets = secretsOf(current);
  let lookedAt = clock.now();

  async function refresh(): Promise<void> {
    const now = clock.now();
    if (Math.abs(now - lookedAt) < 1_000) return;
    lookedAt = now;
    try {
      if ((await versionOf(home)) === current.version) return;
      current = await readTokens(home);
    } catch (thrown) {
      // Nobody gets in by a file that cannot be read, and it is said once.
      if (current.version !== "unreadable") log.error("the token file cannot be used", { error: thrown });
      current = { version: "unreadable", tokens: [] };
    }
    secrets = secretsOf(current);
  }

  /** What was changed here counts at once. */
  async function changing<T>(change: Promise<T>): Promise<T> {
    try {
      return await change;
    } finally {
      lookedAt = Number.NEGATIVE_INFINITY;
      await refresh();
    }
  }

  return {
    async find(secret) {
      await refresh();
      const hash = Buffer.from(sha256(secret), "hex");
      const now = clock.now();
      let found: Token | undefined;
      for (const { until, token, hash: own } of secrets) {
        if (timingSafeEqual(hash, own) && now < until) found = token;
      }
      return found && { name: found.name, scopes: found.scopes };
    },
    async list() {
      const { tokens } = await readTokens(home);
      return tokens.map((token) => viewOf(token, clock.now()));
    },
    create: (order) => changing(createToken(order, { home, clock })),
    rotate: (name, graceMs) => changing(rotateToken({ name, graceMs }, { home, clock })),
    revoke: (name) => changing(revokeToken({ name, keepsAdmin: true }, { home, clock })),
  };
}

interface Secret {
  hash: Buffer;
  token: Token;
  /** Milliseconds since 1970. */
  until: number;
}

function secretsOf({ tokens }: KnownTokens): Secret[] {
  return tokens.flatMap((token) => {
    const end = token.expires_at === undefined ? Number.POSITIVE_INFINITY : Date.parse(token.expires_at);
    const own = { hash: Buffer.from(token.sha256, "hex"), token, until: end };
    const previous = (token.previous ?? []).map(({ sha256: hash, until }) => {
      return { hash: Buffer.from(hash, "hex"), token, until: Math.min(end, Date.parse(until)) };
    });
    return [own, ...previous];
  });
}
