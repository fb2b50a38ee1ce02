import { join } from "node:path";
import { withFileLock } from "../db/lock.ts";
import type { Clock } from "../protocol/ids.ts";
import { isExpired, mostTokens, type Scope, type TokenEntry, type TokenView, viewOf } from "./token.ts";
import { makeFirstToken, newSecret, readSecret, readTokens, sha256, writeSecret, writeTokens } from "./token-file.ts";

/**
 * Adds, renews and takes out tokens, whichever process asks: one at a time, each change whole or not at all. A secret is
 * answered once, to whoever asked for it, and kept nowhere but for the first token's.
 */
export interface Made {
  token: TokenView;
  secret: string;
}

/** What cannot be done as things are; nothing has changed. */
export interface Refused {
  code: "unknown_token" | "token_exists" | "token_expired" | "last_admin" | "too_many_tokens";
  detail: string;
  remedy: string;
}

export interface NewToken {
  name: string;
  scopes: readonly Scope[];
  /** Absent: until it is revoked. */
  expiresInMs?: number | undefined;
}

export interface TokenPlace {
  /** The data folder. */
  home: string;
  clock: Clock;
}

export async function listTokens({ home, clock }: TokenPlace): Promise<TokenView[]> {
  await makeFirstToken(home, clock);
  const { tokens } = await readTokens(home);
  return tokens.map((token) => viewOf(token, clock.now()));
}

export function createToken({ name, scopes, expiresInMs }: NewToken, place: TokenPlace): Promise<Made | Refused> {
  return changing(place, async (tokens, now) => {
    if (tokens.some((token) => token.name === name)) return exists(name);
    if (tokens.length >= mostTokens) return tooMany;
    const secret = newSecret(place.clock);
    const entry: TokenEntry = {
      name,
      sha256: sha256(secret),
      scopes: [...scopes],
      created_at: text(now),
      ...(expiresInMs === undefined ? {} : { expires_at: text(now + expiresInMs) }),
    };
    await writeTokens([...tokens, entry], place.home, place.clock);
    return { token: viewOf(entry, now), secret };
  });
}

/** The secret from before stays good for the grace time; with none, it and all earlier ones end now. */
export function rotateToken(
  { name, graceMs }: { name: string; graceMs: number },
  place: TokenPlace,
): Promise<Made | Refused> {
  return changing(place, async (tokens, now) => {
    const old = tokens.find((token) => token.name === name);
    if (!old) return unknown(name);
    if (isExpired(old, now)) return expired(name);
    const secret = newSecret(place.clock);
    const { previous: _, ...rest } = old;
    const previous = graceMs > 0 ? previousOf(old, now, graceMs) : [];
    const entry: TokenEntry = {
      ...rest,
      sha256: sha256(secret),
      rotated_at: text(now),
      ...(previous.length === 0 ? {} : { previous }),
    };
    const isKept = await isKeptSecret(old, place.home);
    await writeTokens(
      tokens.map((token) => (token === old ? entry : token)),
      place.home,
      place.clock,
    );
    if (isKept) await writeSecret(secret, place.home, place.clock);
    return { token: viewOf(entry, now), secret };
  });
}

/** Takes it out with all its secrets. `keepsAdmin`: the last one that may do all is not taken out. */
export function revokeToken(
  { name, keepsAdmin }: { name: string; keepsAdmin: boolean },
  place: TokenPlace,
): Promise<TokenView | Refused> {
  return changing(place, async (tokens, now) => {
    const old = tokens.find((token) => token.name === name);
    if (!old) return unknown(name);
    const left = tokens.filter((token) => token !== old);
    const isAdmin = (token: TokenEntry) => token.scopes.includes("admin") && !isExpired(token, now);
    if (keepsAdmin && isAdmin(old) && !left.some(isAdmin)) return lastAdmin(name);
    const isKept = await isKeptSecret(old, place.home);
    await writeTokens(left, place.home, place.clock);
    if (isKept) await writeSecret(undefined, place.home, place.clock);
    return viewOf(old, now);
  });
}

/** The server may run meanwhile, and other commands may change tokens too. */
async function changing<T>(
  { home, clock }: TokenPlace,
  change: (tokens: TokenEntry[], now: number) => Promise<T>,
): Promise<T> {
  await makeFirstToken(home, clock);
  return withFileLock(join(home, "tokens.lock"), async () => change((await readTokens(home)).tokens, clock.now()));
}

const mostPrevious = 20;

function previousOf(old: TokenEntry, now: number, graceMs: number): NonNullable<TokenEntry["previous"]> {
  const alive = (old.previous ?? []).filter(({ until }) => Date.parse(until) > now);
  return [{ sha256: old.sha256, until: text(now + graceMs) }, ...alive].slice(0, mostPrevious);
}

/** Whether the file `token` holds this token's secret, which the command line and people's scripts read there. */
async function isKeptSecret({ sha256: hash }: TokenEntry, home: string): Promise<boolean> {
  const kept = await readSecret(home).catch(() => undefined);
  return kept !== undefined && sha256(kept) === hash;
}

function text(ms: number): string {
  return new Date(ms).toISOString();
}

const exists = (name: string): Refused => ({
  code: "token_exists",
  detail: `there is a token ${name} already`,
  remedy: "choose another name, rotate that one for a new secret, or revoke it first",
});
const unknown = (name: string): Refused => ({
  code: "unknown_token",
  detail: `there is no token ${JSON.stringify(name.slice(0, 100))}`,
  remedy: "`sheaf token list` and GET /v1/tokens name those there are",
});
const expired = (name: string): Refused => ({
  code: "token_expired",
  detail: `the token ${name} has expired, and a new secret would have too`,
  remedy: "revoke it, and create it anew",
});
const lastAdmin = (name: string): Refused => ({
  code: "last_admin",
  detail: `${name} is the last token with the scope admin`,
  remedy: "create another one first, or use `sheaf token revoke` on the server's machine",
});
const tooMany: Refused = {
  code: "too_many_tokens",
  detail: `there are ${mostTokens} tokens, and no more are kept`,
  remedy: "revoke some that nobody uses",
};
