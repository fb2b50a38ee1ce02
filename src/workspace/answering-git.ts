import { type Git, type RunningGit, refused, unstartable } from "./git.ts";
import { endProcess, hold } from "./hold-process.ts";

/**
 * One long-lived git that answers each request with a known number of lines, in order, and flushes after each. It
 * starts on the first request and is started anew after it ended. Git leaves at the first request it cannot serve: that
 * one is rejected with what git said, and those behind it are asked again, so every request must bear being repeated.
 */
interface Question {
  request: Buffer;
  lines: number;
  /** Git was killed over it once; a second time it is rejected. */
  wasKilled: boolean;
  resolve(answer: string[]): void;
  reject(cause: unknown): void;
}

/** Most requests under way; the others wait here and not in git's pipe. */
const mostAsked = 256;
/** Nobody needs more of a complaint than its first lines. */
const longestComplaint = 4_000;

export class AnsweringGit {
  readonly #start: () => RunningGit;
  readonly #args: readonly string[];
  #child: RunningGit | undefined;
  #waiting: Question[] = [];
  #asked: Question[] = [];
  /** Whole lines of the answer under way, and what is there of the next. */
  #lines: string[] = [];
  #rest = "";
  #complaint = "";

  constructor(git: Git, gitDir: string, args: readonly string[]) {
    this.#args = args;
    this.#start = () => git.start(args, { gitDir });
  }

  /** The answer's lines, without their ends. Throws the Fault that a git of its own for this request would throw. */
  ask(request: string | Buffer, lines: number): Promise<string[]> {
    return new Promise((resolve, reject) => {
      const bytes = typeof request === "string" ? Buffer.from(request, "latin1") : request;
      this.#waiting.push({ request: bytes, lines, wasKilled: false, resolve, reject });
      this.#pump();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return endProcess(this.#child);
  }

  #pump(): void {
    if (this.#waiting.length === 0 || this.#child?.stdin.writableEnded) return;
    const child = this.#running();
    if (this.#asked.length === 0) hold(child, true);
    child.stdin.cork();
    for (const question of this.#waiting.splice(0, mostAsked - this.#asked.length)) {
      this.#asked.push(question);
      child.stdin.write(question.request);
    }
    process.nextTick(() => child.stdin.uncork());
  }

  #running(): RunningGit {
    if (this.#child) return this.#child;
    const child = this.#start();
    this.#child = child;
    child.stdin.on("error", () => {});
    child.stdout.on("data", (chunk: Buffer) => this.#take(chunk));
    child.stderr.on("data", (chunk: Buffer) => {
      if (this.#complaint.length < longestComplaint) this.#complaint += chunk.toString();
    });
    child.on("error", (cause) => this.#unstarted(child, cause));
    child.on("close", (code, signal) => this.#lost(child, { code: code ?? -1, signal }));
    hold(child, false);
    return child;
  }

  #take(chunk: Buffer): void {
    const lines = (this.#rest + chunk.toString("latin1")).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      this.#lines.push(line);
      if (this.#lines.length < (this.#asked[0]?.lines ?? 1)) continue;
      this.#asked.shift()?.resolve(this.#lines);
      this.#lines = [];
    }
    this.#pump();
    if (this.#asked.length === 0 && this.#child) hold(this.#child, false);
  }

  /** There is no git, or no folder to run it in: the same for whoever asks. */
  #unstarted(child: RunningGit, cause: Error): void {
    if (this.#child !== child) return;
    this.#forget();
    const questions = [...this.#asked.splice(0), ...this.#waiting.splice(0)];
    for (const question of questions) question.reject(unstartable(cause));
  }

  #lost(child: RunningGit, end: { code: number; signal: string | null }): void {
    if (this.#child !== child) return;
    const said = this.#complaint || (end.signal ?? "");
    this.#forget();
    const [first, ...innocent] = this.#asked.splice(0);
    if (first && end.signal !== null && !first.wasKilled) {
      first.wasKilled = true;
      innocent.unshift(first);
    } else first?.reject(refused(this.#args, { code: end.code, stdout: Buffer.alloc(0), stderr: said }));
    this.#waiting.unshift(...innocent);
    this.#pump();
  }

  #forget(): void {
    this.#child = undefined;
    this.#lines = [];
    this.#rest = "";
    this.#complaint = "";
  }
}
