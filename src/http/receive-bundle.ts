import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { Transform, type TransformCallback } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Clock, newUuid } from "../protocol/ids.ts";
import type { HttpLimits } from "./limits.ts";
import type { Refusal } from "./problem.ts";

/**
 * Writes the bytes of a request to `folder`/SHA256 as they come: all of them with that hash, or none. What is in
 * the bundle is judged by whoever fetches from it; here it only has to begin like one.
 */
export async function receiveBundle(
  incoming: IncomingMessage,
  order: { folder: string; sha256: string; limits: HttpLimits; clock: Clock },
): Promise<{ bytes: number; isNew: boolean } | Refusal> {
  const { folder, sha256, limits, clock } = order;
  if (Number(incoming.headers["content-length"] ?? 0) > limits.bundleBytes) return tooLarge(limits);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await removeOld(folder, clock.now());
  const place = join(folder, sha256);
  const draft = join(folder, `.${newUuid(clock)}`);
  const intake = new Intake(limits);
  try {
    await pipeline(incoming, intake, createWriteStream(draft, { flags: "wx", mode: 0o600 }));
    const refusal = intake.judge(sha256);
    if (refusal) return refusal;
    const before = await stat(place).catch(() => undefined);
    await rename(draft, place);
    return { bytes: intake.bytes, isNew: before === undefined };
  } catch (thrown) {
    if (intake.refusal) return intake.refusal;
    if (incoming.readableAborted || incoming.errored) return { code: "bad_request", detail: "the body broke off" };
    throw thrown;
  } finally {
    intake.stop();
    await rm(draft, { force: true });
  }
}

/** What one job needs is fetched from a bundle when the job is taken in; left lying, it would fill the disk. */
const keptMs = 24 * 3_600_000;

async function removeOld(folder: string, now: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (found?.isFile() && now - found.mtimeMs > keptMs) await rm(path, { force: true });
  }
}

/** Counts, hashes and bounds what passes through. */
class Intake extends Transform {
  readonly #hash = createHash("sha256");
  readonly #limits: HttpLimits;
  readonly #idle: NodeJS.Timeout;
  #head = Buffer.alloc(0);
  bytes = 0;
  refusal: Refusal | undefined;

  constructor(limits: HttpLimits) {
    super();
    this.#limits = limits;
    this.#idle = setTimeout(() => this.#giveUp(tooSlow(limits)), limits.bundleIdleMs);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#idle.refresh();
    this.bytes += chunk.length;
    if (this.bytes > this.#limits.bundleBytes) {
      this.#giveUp(tooLarge(this.#limits));
      return;
    }
    if (this.#head.length < longestHead) this.#head = Buffer.concat([this.#head, chunk]).subarray(0, longestHead);
    this.#hash.update(chunk);
    done(null, chunk);
  }

  /** Once all has passed. */
  judge(sha256: string): Refusal | undefined {
    const actual = this.#hash.digest("hex");
    if (actual !== sha256) {
      const remedy = "put it under the sha256 of its bytes, or send it again if it was cut off";
      return { code: "hash_mismatch", detail: `the ${this.bytes} bytes have the sha256 ${actual}`, remedy };
    }
    if (/^# v[23] git bundle\n/.test(this.#head.toString("latin1"))) return undefined;
    const remedy = "make one with `git bundle create FILE REF`";
    return { code: "not_a_bundle", detail: "the bytes do not begin like a git bundle", remedy };
  }

  stop(): void {
    clearTimeout(this.#idle);
  }

  #giveUp(refusal: Refusal): void {
    this.refusal = refusal;
    this.destroy(new Error(refusal.detail));
  }
}

const longestHead = 16;

function tooLarge({ bundleBytes }: HttpLimits): Refusal {
  return {
    code: "content_too_large",
    detail: `the bundle has more than ${bundleBytes} bytes`,
    remedy: "send fewer commits, or have the server fetch the repository (server.urls of its settings)",
    headers: { connection: "close" },
  };
}

function tooSlow({ bundleIdleMs }: HttpLimits): Refusal {
  return {
    code: "request_timeout",
    detail: `nothing of the bundle arrived for ${Math.round(bundleIdleMs / 1000)} s`,
    remedy: "send it again",
    headers: { connection: "close" },
  };
}
