import { z } from "zod";
import { durationMs } from "../protocol/duration.ts";

/** Who may ask a server for what, as it stands in `tokens.json`. A secret is in none of these shapes, only its hash. */

/** None includes another, but `admin` may do whatever the others may. */
export const scopes = ["read", "run", "approve", "admin"] as const;
export type Scope = (typeof scopes)[number];

/** The caller at the data folder's socket; no token may be called so, nor what it was once called. */
export const operatorName = "operator";
const reserved: readonly string[] = [operatorName, "socket"];

/** A name is an actor in the audit log, a part of an address, and what idempotency keys belong to. */
export const tokenName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or a digit")
  .refine((name) => !reserved.includes(name.toLowerCase()), `${operatorName} and socket are names of the server's own`);

export const tokenScopes = z
  .array(z.enum(scopes))
  .min(1, "name at least one scope")
  .max(scopes.length)
  .refine((list) => new Set(list).size === list.length, "a scope is named twice");

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const moment = z.iso.datetime({ offset: true });

const tokenEntry = z.strictObject({
  name: tokenName,
  /** Of the secret, as hex. */
  sha256: hash,
  scopes: tokenScopes,
  created_at: z.string().max(100).optional(),
  /** From then on it is no token any more. */
  expires_at: moment.optional(),
  rotated_at: moment.optional(),
  /** Secrets from before a rotation, each good until its moment. */
  previous: z
    .array(z.strictObject({ sha256: hash, until: moment }))
    .max(20)
    .optional(),
});
export type TokenEntry = z.infer<typeof tokenEntry>;

export const mostTokens = 1_000;

export const tokenFile = z.strictObject({
  tokens: z
    .array(tokenEntry)
    .max(mostTokens)
    .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, "two tokens have the same name"),
});

/** A token as it is shown: never its secret, nor the hash. */
export const tokenView = z.object({
  name: z.string(),
  scopes: z.array(z.enum(scopes)),
  state: z.enum(["valid", "expired"]),
  created_at: z.string().optional(),
  expires_at: z.string().optional(),
  rotated_at: z.string().optional(),
  /** Until when a secret from before a rotation is good; absent when none is. */
  previous_until: z.string().optional(),
});
export type TokenView = z.infer<typeof tokenView>;

export function viewOf(entry: TokenEntry, now: number): TokenView {
  const { sha256: _hash, previous = [], ...rest } = entry;
  const until = previous
    .map((secret) => secret.until)
    .filter((end) => Date.parse(end) > now)
    .sort()
    .at(-1);
  return { ...rest, state: isExpired(entry, now) ? "expired" : "valid", ...(until ? { previous_until: until } : {}) };
}

export function isExpired({ expires_at }: Pick<TokenEntry, "expires_at">, now: number): boolean {
  return expires_at !== undefined && Date.parse(expires_at) <= now;
}

const longestDays = 3_650;

/** A time to live, or of grace, as people write it: like any duration, or in days (`30d`). Milliseconds, or the reason. */
export function lifetimeMs(written: string): { ms: number } | { reason: string } {
  const [, days] = /^(\d{1,4})d$/.exec(written) ?? [];
  if (days === undefined) return durationMs(written);
  const isKept = Number(days) >= 1 && Number(days) <= longestDays;
  return isKept ? { ms: Number(days) * 86_400_000 } : { reason: `write 1d to ${longestDays}d` };
}
