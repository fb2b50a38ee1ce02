import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../protocol/failure.ts";
import { AnsweringGit } from "./answering-git.ts";
import type { Git } from "./git.ts";
import { quoted, rawOf, toRaw } from "./raw-path.ts";

/**
 * Objects and refs into our own repository, over processes that stay: starting one copies the page tables of ours,
 * which costs more than what it does. It looks at no object it is told to point at.
 */
export class ObjectWriter {
  readonly #gitDir: string;
  readonly #blobs: AnsweringGit;
  readonly #commits: AnsweringGit;
  readonly #trees: AnsweringGit;
  readonly #refs: AnsweringGit;
  #scratch: Promise<string> | undefined;
  #written = 0;

  constructor(git: Git, gitDir: string) {
    const hashing = ["hash-object", "-w", "--no-filters", "--stdin-paths"];
    this.#gitDir = gitDir;
    this.#blobs = new AnsweringGit(git, gitDir, hashing);
    this.#commits = new AnsweringGit(git, gitDir, [...hashing, "-t", "commit"]);
    this.#trees = new AnsweringGit(git, gitDir, ["mktree", "-z", "--missing", "--batch"]);
    this.#refs = new AnsweringGit(git, gitDir, ["update-ref", "--stdin"]);
  }

  /** Stores the bytes of a file as they are; `at` is absolute, one character a byte. It follows links. */
  file(at: string): Promise<string> {
    return hash(this.#blobs, at);
  }

  blob(bytes: Uint8Array): Promise<string> {
    return this.#throughFile(this.#blobs, bytes);
  }

  /** `bytes` is the whole commit object; git refuses one that is not well formed. */
  commit(bytes: Uint8Array): Promise<string> {
    return this.#throughFile(this.#commits, bytes);
  }

  /** Each tree is the lines that `git mktree -z` takes; the ids are in their order. */
  trees(trees: readonly { lines: string }[]): Promise<string[]> {
    // An empty record ends each tree.
    return this.#trees.ask(trees.map(({ lines }) => `${lines}\0`).join(""), trees.length);
  }

  /** Points a ref at a commit, whatever it pointed at. */
  async ref(name: string, commit: string): Promise<void> {
    if (/[\s"\\\0]/.test(name)) throw new Fault("internal", `${JSON.stringify(name)} is not the name of a ref`);
    await this.#refs.ask(`start\noption no-deref\nupdate ${name} ${commit}\nprepare\ncommit\n`, 3);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of [this.#blobs, this.#commits, this.#trees, this.#refs]) await process[Symbol.asyncDispose]();
    const scratch = this.#scratch;
    this.#scratch = undefined;
    if (scratch !== undefined) await rm(await scratch, { recursive: true, force: true });
  }

  async #throughFile(hashing: AnsweringGit, bytes: Uint8Array): Promise<string> {
    const file = join(await this.#folder(), `${this.#written++}`);
    try {
      await writeFile(file, bytes);
      return await hash(hashing, toRaw(file));
    } finally {
      await rm(file, { force: true });
    }
  }

  #folder(): Promise<string> {
    this.#scratch ??= mkdtemp(join(this.#gitDir, "scratch-")).catch((cause: unknown) => {
      this.#scratch = undefined;
      throw cause;
    });
    return this.#scratch;
  }
}

async function hash(hashing: AnsweringGit, at: string): Promise<string> {
  const [oid = ""] = await hashing.ask(`${quoted(rawOf(at))}\n`, 1);
  return oid;
}
