import { Fault } from "../protocol/failure.ts";
import { AnsweringGit } from "./answering-git.ts";
import type { Git } from "./git.ts";
import { LooseObjects, type ObjectType } from "./loose-objects.ts";
import { quoted, rawOf } from "./raw-path.ts";

/**
 * Objects and refs into our own repository. What is at hand is written by us; large files and refs go over processes of
 * git that stay, as starting one copies the page tables of ours. It looks at no object it is told to point at.
 */
export class ObjectWriter {
  readonly #objects: LooseObjects;
  readonly #files: AnsweringGit;
  readonly #refs: AnsweringGit;

  constructor(git: Git, gitDir: string, format: "sha1" | "sha256") {
    this.#objects = new LooseObjects(gitDir, format);
    this.#files = new AnsweringGit(git, gitDir, ["hash-object", "-w", "--no-filters", "--stdin-paths"]);
    this.#refs = new AnsweringGit(git, gitDir, ["update-ref", "--stdin"]);
  }

  /** Stores the bytes of a file as they are; `at` is absolute, one character a byte. It follows links. */
  async file(at: string): Promise<string> {
    const [oid = ""] = await this.#files.ask(`${quoted(rawOf(at))}\n`, 1);
    return oid;
  }

  blob(bytes: Uint8Array): Promise<string> {
    return this.#objects.put("blob", bytes);
  }

  /** `bytes` is the whole commit object. Throws Fault `git` for one that is not well formed. */
  async commit(bytes: Buffer): Promise<string> {
    if (!wellFormed.test(bytes.toString("latin1"))) throw new Fault("git", "a commit that git could not read");
    return await this.#objects.put("commit", bytes);
  }

  /** Each as `planTrees` made it. */
  async trees(trees: readonly { oid: string; bytes: Buffer }[]): Promise<void> {
    const written = await Promise.all(trees.map(({ bytes }) => this.#objects.put("tree", bytes)));
    for (const [index, { oid }] of trees.entries()) {
      if (written[index] !== oid) throw new Fault("internal", `tree ${written[index]} was to be ${oid}`);
    }
  }

  /** An object of this id and type was stored here not long ago. */
  hasWritten(oid: string, type: ObjectType): boolean {
    return this.#objects.hasPut(oid, type);
  }

  /** Points a ref at a commit, whatever it pointed at. */
  async ref(name: string, commit: string): Promise<void> {
    if (/[\s"\\\0]/.test(name)) throw new Fault("internal", `${JSON.stringify(name)} is not the name of a ref`);
    await this.#refs.ask(`start\noption no-deref\nupdate ${name} ${commit}\nprepare\ncommit\n`, 3);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of [this.#files, this.#refs]) await process[Symbol.asyncDispose]();
    await this.#objects[Symbol.asyncDispose]();
  }
}

const person = "[^\\n<>]+ <[^\\n<>]*> \\d+ [+-]\\d{4}\\n";
const id = "(?:[0-9a-f]{40}|[0-9a-f]{64})\\n";
const wellFormed = new RegExp(`^tree ${id}(?:parent ${id})*author ${person}committer ${person}\\n`);
