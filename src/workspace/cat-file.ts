import { Fault } from "../protocol/failure.ts";
import type { Git, RunningGit } from "./git.ts";
import { endProcess, hold } from "./hold-process.ts";

/**
 * One long-lived `git cat-file --batch-command`: objects by id without a process for each. It starts on the first
 * question, never keeps Node alive on its own, and is started anew after it died. It does not decide how much is too
 * much: ask `info` first.
 */
export interface ObjectInfo {
  oid: string;
  type: string;
  /** Bytes. */
  size: number;
}

interface Question {
  wants: "info" | "contents";
  line: string;
  resolve(answer: { info: ObjectInfo; body: Buffer } | undefined): void;
  reject(cause: unknown): void;
}

const nothing = Buffer.alloc(0);

export class CatFile {
  readonly #start: () => RunningGit;
  #child: RunningGit | undefined;
  #asked: Question[] = [];
  #chunks: Buffer[] = [];
  #held = 0;
  /** The header that was read and whose body is still coming. */
  #open: ObjectInfo | undefined;

  constructor(git: Git, gitDir: string) {
    this.#start = () => git.start(["cat-file", "--batch-command"], { gitDir });
  }

  /** What an object name (an id, or `<id>^{tree}`) stands for; undefined when there is no such object. */
  async info(name: string): Promise<ObjectInfo | undefined> {
    return (await this.#ask("info", name))?.info;
  }

  /** The bytes of an object; undefined when there is no such object. */
  async read(oid: string): Promise<Buffer | undefined> {
    return (await this.#ask("contents", oid))?.body;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return endProcess(this.#child);
  }

  #ask(wants: Question["wants"], name: string): Promise<{ info: ObjectInfo; body: Buffer } | undefined> {
    if (/[\n\0]/.test(name)) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const child = this.#running();
      this.#asked.push({ wants, line: name, resolve, reject });
      if (this.#asked.length === 1) hold(child, true);
      this.#send(child, `${wants} ${name}\n`);
    });
  }

  /** What is asked in one go is one write. */
  #send({ stdin }: RunningGit, line: string): void {
    if (stdin.writableCorked === 0) {
      stdin.cork();
      process.nextTick(() => stdin.uncork());
    }
    stdin.write(line);
  }

  #running(): RunningGit {
    if (this.#child) return this.#child;
    const child = this.#start();
    this.#child = child;
    child.stdin.on("error", () => {});
    child.stderr.resume();
    child.stdout.on("data", (chunk: Buffer) => this.#take(chunk));
    child.on("error", (cause) => this.#lost(child, cause));
    child.on("close", () => this.#lost(child, undefined));
    hold(child, false);
    return child;
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    while (this.#asked.length > 0 && this.#advance()) {}
    if (this.#asked.length === 0 && this.#child) hold(this.#child, false);
  }

  /** One header or one body further; false when more bytes are needed. */
  #advance(): boolean {
    if (this.#open) return this.#body(this.#open);
    const text = this.#gathered();
    const end = text.indexOf(10);
    if (end < 0) return false;
    const [oid = "", type = "", size = ""] = text.toString("latin1", 0, end).split(" ");
    this.#keep(text.subarray(end + 1));
    const question = this.#asked[0];
    // `<name> missing`, or `ambiguous`: a name that stands for nothing we can read.
    if (!/^\d+$/.test(size)) this.#answer(undefined);
    else if (question?.wants === "info") this.#answer({ info: { oid, type, size: Number(size) }, body: nothing });
    else this.#open = { oid, type, size: Number(size) };
    return true;
  }

  #body(open: ObjectInfo): boolean {
    if (this.#held < open.size + 1) return false;
    const text = this.#gathered();
    this.#open = undefined;
    // A copy, so that a small blob does not keep a large buffer alive.
    const body = Buffer.from(text.subarray(0, open.size));
    this.#keep(text.subarray(open.size + 1));
    this.#answer({ info: open, body });
    return true;
  }

  #gathered(): Buffer {
    const [first] = this.#chunks;
    const text = this.#chunks.length === 1 && first ? first : Buffer.concat(this.#chunks);
    this.#chunks = [text];
    return text;
  }

  #keep(rest: Buffer): void {
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#held = rest.length;
  }

  #answer(answer: { info: ObjectInfo; body: Buffer } | undefined): void {
    this.#asked.shift()?.resolve(answer);
  }

  #lost(child: RunningGit, cause: unknown): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    this.#open = undefined;
    this.#keep(nothing);
    for (const question of this.#asked.splice(0)) {
      question.reject(new Fault("git", `git cat-file ended before it answered for ${question.line}`, { cause }));
    }
  }
}
