import { createHash, timingSafeEqual } from "node:crypto";
import { link, mkdir, open, readFile, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import type { Log } from "../log/log.ts";
import { Fault } from "../protocol/failure.ts";
import { type Clock, newUuid } from "../protocol/ids.ts";
import { type Scope, scopes } from "./exchange.ts";

/**
 * Who may use the server over TCP: `tokens.json` of the data folder. It holds hashes only, so whoever reads it cannot
 * use it; the one secret that is kept is that of the first token, in the file `token`, for the command line.
 */
export interface Tokens {
  /** The token of that secret. Looking takes the same time whichever it is, and whether there is one. */
  find(secret: string): Promise<Token | undefined>;
}

export interface Token {
  name: string;
  scopes: readonly Scope[];
}

const tokenFile = z.strictObject({
  tokens: z.array(
    z.strictObject({
      name: z.string().min(1).max(64),
      /** Of the secret, as hex. */
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      scopes: z.array(z.enum(scopes)).min(1),
      created_at: z.string().optional(),
    }),
  ),
});

/** Makes both files at the first start. Throws Fault `credentials` for one that cannot be used. */
export async function openTokens(home: string, { clock, log }: { clock: Clock; log: Log }): Promise<Tokens> {
  const file = join(home, "tokens.json");
  await mkdir(home, { recursive: true, mode: 0o700 });
  await makeFirst(home, file, clock);
  let current = await readTokens(file);
  let lookedAt = clock.now();

  /** A token that is added or taken out counts within a second, without a restart. */
  async function refresh(): Promise<void> {
    const now = clock.now();
    if (Math.abs(now - lookedAt) < 1_000) return;
    lookedAt = now;
    try {
      if ((await versionOf(file)) !== current.version) current = await readTokens(file);
    } catch (thrown) {
      // Nobody gets in by a file that cannot be read, and it is said once.
      if (current.version !== "unreadable") log.error("the token file cannot be used", { error: thrown });
      current = { version: "unreadable", tokens: [] };
    }
  }

  return {
    async find(secret) {
      await refresh();
      const hash = sha256(secret);
      let found: Token | undefined;
      for (const token of current.tokens) if (timingSafeEqual(hash, token.hash)) found = token;
      return found && { name: found.name, scopes: found.scopes };
    },
  };
}

/** The secret of the first token, as the command line uses it. Throws Fault `credentials` when it cannot be read. */
export async function readSecret(home: string): Promise<string> {
  return readPrivate(join(home, "token"), (text) => text.trim());
}

/**
 * Whichever of two processes comes first decides: both files appear whole or not at all, and the hash is that of the
 * secret that is there.
 */
async function makeFirst(home: string, file: string, clock: Clock): Promise<void> {
  if (await versionOf(file).catch(() => undefined)) return;
  const place = join(home, "token");
  const secret = `sheaf_${Buffer.from(clock.random(32)).toString("base64url")}`;
  await appear(place, `${secret}\n`, clock);
  const kept = await readSecret(home);
  const first = {
    name: "first",
    sha256: sha256(kept).toString("hex"),
    scopes: ["admin"],
    created_at: new Date(clock.now()).toISOString(),
  };
  await appear(file, `${JSON.stringify({ tokens: [first] }, null, 2)}\n`, clock);
}

/** Writes a file that others only ever see whole; one that is there already stays as it is. */
async function appear(path: string, text: string, clock: Clock): Promise<void> {
  const draft = join(dirname(path), `.${newUuid(clock)}`);
  const handle = await open(draft, "wx", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    await link(draft, path);
  } catch (thrown) {
    if (!isCode(thrown, "EEXIST")) throw thrown;
  } finally {
    await rm(draft, { force: true });
  }
}

interface Known {
  /** Changes with the file. */
  version: string;
  tokens: (Token & { hash: Buffer })[];
}

async function readTokens(file: string): Promise<Known> {
  const version = await versionOf(file);
  const { tokens } = await readPrivate(file, (text) => tokenFile.parse(JSON.parse(text)));
  return { version, tokens: tokens.map((token) => ({ ...token, hash: Buffer.from(token.sha256, "hex") })) };
}

async function versionOf(file: string): Promise<string> {
  const { mtimeNs, size, ino, mode } = await stat(file, { bigint: true });
  return [mtimeNs, size, ino, mode].join(" ");
}

async function readPrivate<T>(file: string, parse: (text: string) => T): Promise<T> {
  let text: string;
  try {
    const { mode } = await stat(file);
    if (process.platform !== "win32" && (mode & 0o077) !== 0) throw readableByOthers(file);
    text = await readFile(file, "utf8");
  } catch (thrown) {
    if (thrown instanceof Fault) throw thrown;
    const why = thrown instanceof Error && "code" in thrown ? ` (${thrown.code})` : "";
    throw new Fault("credentials", `${file} cannot be read${why}`, {
      remedy:
        "let the user that runs the server own it, with mode 0600; or remove it and `token` to have both made anew",
    });
  }
  try {
    return parse(text);
  } catch (thrown) {
    throw new Fault("credentials", `${file} is not a token file: ${shortly(thrown)}`, {
      remedy: "mend it as docs/http.md shows, or remove it and `token` to have both made anew",
    });
  }
}

function readableByOthers(file: string): Fault {
  return new Fault("credentials", `${file} can be read or written by other users of this machine`, {
    remedy: `chmod 600 ${file}; and make new tokens if somebody may have read them`,
  });
}

/** Never the text itself, which might be a secret in the wrong place. */
function shortly(thrown: unknown): string {
  if (!(thrown instanceof z.ZodError)) return "it is not JSON";
  const [issue] = thrown.issues;
  return `${issue?.path.join(".") || "the whole"}: ${issue?.code ?? "wrong"}`;
}

function sha256(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}

function isCode(thrown: unknown, code: string): boolean {
  return thrown instanceof Error && "code" in thrown && thrown.code === code;
}
