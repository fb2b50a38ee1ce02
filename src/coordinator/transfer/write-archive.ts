import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { blockBytes, tarHeader } from "./tar-header.ts";

/** A tar archive that is written as its files come, whose sizes nobody knows before: each header is put in afterwards. */
export class ArchiveWriter implements AsyncDisposable {
  readonly #file: FileHandle;
  readonly #atSeconds: number;
  #end = 0;

  private constructor(file: FileHandle, atSeconds: number) {
    this.#file = file;
    this.#atSeconds = atSeconds;
  }

  /** `path` must not be there. Only its owner can read it. */
  static async create(path: string, now: number): Promise<ArchiveWriter> {
    return new ArchiveWriter(await open(path, "wx", 0o600), Math.floor(now / 1_000));
  }

  async add(
    name: string,
    content: AsyncIterable<Uint8Array>,
  ): Promise<{ entry: string; bytes: number; sha256: string }> {
    const hash = createHash("sha256");
    const start = this.#end + blockBytes;
    let bytes = 0;
    for await (const chunk of content) {
      hash.update(chunk);
      await this.#put(chunk, start + bytes);
      bytes += chunk.byteLength;
    }
    await this.#put(tarHeader({ name, size: bytes }, this.#atSeconds), this.#end);
    this.#end = start + Math.ceil(bytes / blockBytes) * blockBytes;
    return { entry: name, bytes, sha256: hash.digest("hex") };
  }

  /** Ends the archive, and brings it to the disk. */
  async finish(): Promise<void> {
    await this.#put(Buffer.alloc(2 * blockBytes), this.#end);
    await this.#file.sync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }

  async #put(bytes: Uint8Array, at: number): Promise<void> {
    for (let done = 0; done < bytes.byteLength; ) {
      const { bytesWritten } = await this.#file.write(bytes, done, bytes.byteLength - done, at + done);
      done += bytesWritten;
    }
  }
}
