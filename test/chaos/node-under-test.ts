import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** One real `sheaf` process in a group of its own, which can be ended at any instant with all it has started. */
export interface NodeUnderTest {
  child: ChildProcess;
  /** Facts that it printed so far, by their types. */
  readonly facts: readonly string[];
  readonly stdout: string;
  readonly stderr: string;
  /** kill -9 of the whole group. */
  kill(): void;
  signal(signal: NodeJS.Signals): void;
  /** Its exit code; null where it was killed. */
  ended: Promise<number | null>;
  /** Until it has printed so many facts; or has ended. */
  told(count: number): Promise<void>;
  /** Until one of its streams has shown this; rejects when it ends without. */
  shows(pattern: RegExp): Promise<void>;
}

const root = join(import.meta.dirname, "../..");

/** Nothing of this process's environment but PATH goes along. */
interface Surroundings {
  cwd: string;
  env: Readonly<Record<string, string>>;
  /** A command that becomes the one it is given, in a network of its own, say. */
  within?: readonly string[];
  /** The folder of another build. */
  program?: string | undefined;
}

/** `words`: the command line. */
export function startNode(
  words: readonly string[],
  { cwd, env, within = [], program: build = root }: Surroundings,
): NodeUnderTest {
  const all = { PATH: process.env.PATH, HOME: cwd, ...env };
  const [program = process.execPath, ...before] = [...within, process.execPath];
  const child = spawn(program, [...before, join(build, "src/bin.ts"), ...words], {
    ...{ cwd, env: all, detached: true },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const heard = listen(child);
  // Whoever ends this process ends those that it started, which are in groups of their own.
  const leave = () => signal("SIGKILL");
  process.once("exit", leave);
  const ended = once(child, "close").then(([code]): number | null => {
    process.off("exit", leave);
    return code;
  });
  const signal = (name: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name);
    } catch (thrown) {
      if (!(thrown instanceof Error && "code" in thrown && thrown.code === "ESRCH")) throw thrown;
    }
  };
  const until = (isSo: () => boolean) => Promise.race([heard.until(isSo), ended.then(() => {})]);
  return {
    child,
    signal,
    ended,
    get facts() {
      return heard.facts;
    },
    get stdout() {
      return heard.stdout;
    },
    get stderr() {
      return heard.stderr;
    },
    kill: () => signal("SIGKILL"),
    told: (count) => until(() => heard.facts.length >= count),
    async shows(pattern) {
      const isShown = () => pattern.test(heard.stdout) || pattern.test(heard.stderr);
      await until(isShown);
      if (!isShown()) throw new Error(`it ended without ${pattern}: ${heard.stdout.slice(-2_000)}\n${heard.stderr}`);
    },
  };
}

function listen(child: ChildProcess) {
  const heard = { stdout: "", stderr: "", facts: [] as string[] };
  let rest = "";
  let waiting: (() => void)[] = [];
  const ring = () => {
    const ringing = waiting;
    waiting = [];
    for (const look of ringing) look();
  };
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    heard.stderr += text;
    ring();
  });
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    heard.stdout += text;
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) heard.facts.push(/"type":"([a-z.]+)"/.exec(line)?.[1] ?? "?");
    ring();
  });
  const until = (isSo: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = () => (isSo() ? resolve() : void waiting.push(look));
      look();
    });
  return Object.assign(heard, { until });
}
