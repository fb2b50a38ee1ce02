import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { type Fact, fact } from "../../src/protocol/event.ts";
import { type Result, result as resultShape } from "../../src/protocol/result.ts";

/** Drives the `sheaf` command as anyone would: a child process, its events line by line, its result at the end. */
export interface SheafOrder {
  /** After `run`. */
  words: readonly string[];
  /** SHEAF_HOME. */
  home: string;
  cwd: string;
  signal: AbortSignal;
  onFact(runId: string, fact: Fact): void;
  /** A line of its stderr. */
  onRemark(line: string): void;
}

/** The result, or what it said when it ended without one. */
export async function runSheaf(order: SheafOrder): Promise<Result | { exit: string; said: string }> {
  const { words, cwd, signal, onFact, onRemark } = order;
  signal.throwIfAborted();
  const bin = join(import.meta.dirname, "../../src/bin.ts");
  const args = [bin, "run", ...words, "--output-format", "stream-json"];
  // In a process group of its own: a Ctrl-C reaches it once, from here.
  const child = spawn(process.execPath, args, {
    cwd,
    env: environmentOf(order),
    detached: process.platform !== "win32",
    stdio: ["ignore", "pipe", "pipe"],
  });
  const release = cancelOn(signal, child);
  const said: string[] = [];
  let result: Result | undefined;
  const remarks = eachLine(child.stderr, (line) => {
    said.push(line);
    onRemark(line);
  });
  const events = eachLine(child.stdout, (line) => {
    const read = JSON.parse(line);
    if (read.type === "result") result = resultShape.parse(read.result);
    else onFact(String(read.run_id), fact.parse(read));
  });
  try {
    const [[code, by]] = await Promise.all([once(child, "close"), events, remarks]);
    return result ?? { exit: by ? `killed by ${by}` : `exit ${code}`, said: said.slice(-5).join("\n") };
  } finally {
    release();
    // Still there only when its lines could not be understood.
    child.kill("SIGKILL");
  }
}

async function eachLine(stream: Readable, take: (line: string) => void): Promise<void> {
  for await (const line of createInterface({ input: stream })) take(line);
}

/** Neither the user's database nor their telemetry: what the demo does stays in its folder. */
function environmentOf({ home }: SheafOrder): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(([name]) => !/^(DATABASE_URL|TRACEPARENT|OTEL_.*)$/.test(name));
  return { ...Object.fromEntries(entries), SHEAF_HOME: home };
}

/** It cancels in order at the first signal; whoever does not leave is ended. */
const graceMs = 6_000;

function cancelOn(signal: AbortSignal, child: ChildProcess): () => void {
  let timer: NodeJS.Timeout | undefined;
  const cancel = () => {
    child.kill("SIGINT");
    timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
  };
  signal.addEventListener("abort", cancel, { once: true });
  return () => {
    signal.removeEventListener("abort", cancel);
    clearTimeout(timer);
  };
}
