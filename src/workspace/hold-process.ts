import type { RunningGit } from "./git.ts";

/** Whether a long-lived process keeps Node's event loop alive: only while somebody waits for an answer of it. */
export function hold(child: RunningGit, isHeld: boolean): void {
  const change = isHeld ? "ref" : "unref";
  child[change]();
  for (const stream of [child.stdin, child.stdout, child.stderr]) {
    const pipe: unknown = stream;
    if (isPipe(pipe)) pipe[change]();
  }
}

/** Ends a long-lived process by closing its input, and waits until it is gone. */
export async function endProcess(child: RunningGit | undefined): Promise<void> {
  if (!child) return;
  const closed = new Promise((resolve) => child.once("close", resolve));
  child.ref();
  child.stdin.end();
  await closed;
}

function isPipe(stream: unknown): stream is { ref(): void; unref(): void } {
  return typeof stream === "object" && stream !== null && "ref" in stream && "unref" in stream;
}
