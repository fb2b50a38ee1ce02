import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";

/** What a command and all the processes it waited for took. */
export interface Cost {
  wallMs: number;
  /** User and system time. */
  cpuMs: number;
  stdout: string;
}

export interface CommandOptions {
  cwd: string;
  env?: Readonly<Record<string, string>>;
  /** Called with each line of stdout, as it comes. */
  onLine?: (line: string) => void;
  /** Called with the id of the shell that starts it. */
  onStart?: (pid: number) => void;
}

/** Only bash's own `time` is on every machine, and adds up children's children. */
const script = `exec 3>&1 4>&2; TIMEFORMAT='%3R %3U %3S'; { time "$@" 1>&3 2>&4 3>&- 4>&-; } 2>"$SHEAF_BENCH_TIMES"`;

/** Throws what the command said when it does not end with 0. */
export async function measureCommand(command: readonly string[], options: CommandOptions): Promise<Cost> {
  const folder = await mkdtemp(join(tmpdir(), "sheaf-bench-times-"));
  const times = join(folder, "times");
  try {
    const stdout = await run(command, options, { ...cleanEnvironment(), ...options.env, SHEAF_BENCH_TIMES: times });
    const [wall = 0, user = 0, system = 0] = (await readFile(times, "utf8")).trim().split(" ").map(Number);
    return { wallMs: wall * 1_000, cpuMs: (user + system) * 1_000, stdout };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Without what would change where our program stores and exports, or how numbers are written. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(OTEL_|SHEAF_|DATABASE_URL$|NODE_|TRACEPARENT$)/.test(name),
  );
  return { ...Object.fromEntries(kept), CI: "1", LC_ALL: "C" };
}

async function run(command: readonly string[], options: CommandOptions, env: NodeJS.ProcessEnv): Promise<string> {
  const child = spawn("bash", ["-c", script, "bash", ...command], {
    cwd: options.cwd,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "close");
  if (child.pid !== undefined) options.onStart?.(child.pid);
  const [stdout, stderr] = await Promise.all([collectLines(child.stdout, options.onLine), text(child.stderr)]);
  const [code] = await ended;
  if (code === 0) return stdout;
  throw new Error(`${command.slice(0, 4).join(" ")} ended with ${code}: ${(stderr || stdout).trim().slice(-2_000)}`);
}

/** Hands each line over as soon as it is whole, and answers with all of them. */
async function collectLines(stream: Readable, onLine: (line: string) => void = () => {}): Promise<string> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: stream })) {
    lines.push(line);
    onLine(line);
  }
  return lines.join("\n");
}
