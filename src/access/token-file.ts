import { createHash } from "node:crypto";
import { link, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { Fault } from "../protocol/failure.ts";
import { type Clock, newUuid } from "../protocol/ids.ts";
import { type TokenEntry, tokenFile } from "./token.ts";

/**
 * `tokens.json` of the data folder, and `token` beside it. The first holds hashes only, so whoever reads it cannot use
 * it; the one secret that is kept is that of the first token, in the file `token`, for the command line. Neither is
 * ever seen half written, nor used when others could read it.
 */
export interface KnownTokens {
  /** Changes with the file. */
  version: string;
  tokens: TokenEntry[];
}

/** Throws Fault `credentials` for a file that cannot be used. */
export async function readTokens(home: string): Promise<KnownTokens> {
  const file = join(home, "tokens.json");
  const version = await versionOf(home);
  const { tokens } = await readPrivate(file, (text) => tokenFile.parse(JSON.parse(text)));
  return { version, tokens };
}

export async function versionOf(home: string): Promise<string> {
  const { mtimeNs, size, ino, mode } = await stat(join(home, "tokens.json"), { bigint: true });
  return [mtimeNs, size, ino, mode].join(" ");
}

/** For who holds the lock of that file. */
export async function writeTokens(tokens: readonly TokenEntry[], home: string, clock: Clock): Promise<void> {
  await put(join(home, "tokens.json"), textOf(tokens), clock, rename);
}

/** The secret of the first token, as the command line uses it. Throws Fault `credentials` when it cannot be read. */
export async function readSecret(home: string): Promise<string> {
  return readPrivate(join(home, "token"), (text) => text.trim());
}

/** Takes the place of the secret that was there; without one, the file goes. */
export async function writeSecret(secret: string | undefined, home: string, clock: Clock): Promise<void> {
  const file = join(home, "token");
  if (secret === undefined) await rm(file, { force: true });
  else await put(file, `${secret}\n`, clock, rename);
}

/**
 * Makes both files at the first start. Whichever of two processes comes first decides: both files appear whole or not
 * at all, and the hash is that of the secret that is there.
 */
export async function makeFirstToken(home: string, clock: Clock): Promise<void> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  if (await versionOf(home).catch(() => undefined)) return;
  await put(join(home, "token"), `${newSecret(clock)}\n`, clock, appear);
  const kept = await readSecret(home);
  const created_at = new Date(clock.now()).toISOString();
  const first: TokenEntry = { name: "first", sha256: sha256(kept), scopes: ["admin"], created_at };
  await put(join(home, "tokens.json"), textOf([first]), clock, appear);
}

/** 32 random bytes, in a form that logs and traces know to hide. */
export function newSecret(clock: Clock): string {
  return `sheaf_${Buffer.from(clock.random(32)).toString("base64url")}`;
}

/** As hex. Of a secret with 32 random bytes a plain hash is enough: there is nothing to guess. */
export function sha256(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

function textOf(tokens: readonly TokenEntry[]): string {
  return `${JSON.stringify({ tokens }, null, 2)}\n`;
}

/** Writes a file that others only ever see whole. */
async function put(path: string, text: string, clock: Clock, into: (draft: string, path: string) => Promise<void>) {
  const draft = join(dirname(path), `.${newUuid(clock)}`);
  const handle = await open(draft, "wx", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
    await handle.close();
    await into(draft, path);
  } finally {
    await handle.close().catch(() => {});
    await rm(draft, { force: true });
  }
}

/** One that is there already stays as it is. */
async function appear(draft: string, path: string): Promise<void> {
  try {
    await link(draft, path);
  } catch (thrown) {
    if (!(thrown instanceof Error && "code" in thrown && thrown.code === "EEXIST")) throw thrown;
  }
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
  const why = issue?.code === "custom" || issue?.code === "invalid_format" ? issue.message : issue?.code;
  return `${issue?.path.join(".") || "the whole"}: ${why ?? "wrong"}`;
}
