import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import { createBubblewrap } from "../../src/sandbox/bubblewrap.ts";
import type { Sandbox } from "../../src/sandbox/driver.ts";
import { sandboxOptions } from "../support/sandboxed.ts";
import type { Figure, Reading } from "./figure.ts";
import { ratioOfMinima, short, takePairs } from "./pairs.ts";

export const sandbox: Figure = {
  name: "sandbox",
  title: "a command in bubblewrap / the same command as a plain child",
  async measure({ directory, isQuick }) {
    const pairs = isQuick ? 5 : 60;
    const open = await boxIn(join(directory, "open"), 0o755);
    const closed = await boxIn(join(directory, "closed"), 0o700);
    await chmod(join(directory, ".."), 0o755);
    const isRoot = process.getuid?.() === 0;
    return [
      await compare(["true"], { ...open, pairs, what: "sandboxed `true` / plain spawn", limit: 5 }),
      ...(isRoot
        ? [
            await compare(["true"], {
              ...closed,
              pairs,
              what: "the same, below a folder that is root's alone / plain spawn",
            }),
          ]
        : []),
      await compare(["sleep", "1"], {
        ...open,
        pairs: isQuick ? 1 : 5,
        what: "a check of one second, sandboxed / plain",
        limit: 1.05,
      }),
    ];
  },
};

interface Box {
  sandbox: Sandbox;
  tree: string;
}

async function boxIn(folder: string, mode: number): Promise<Box> {
  const tree = join(folder, "tree");
  await mkdir(tree, { recursive: true });
  await chmod(folder, mode);
  const made = createBubblewrap(sandboxOptions(join(folder, "data")), systemClock);
  await made.handOver(tree);
  return { sandbox: made, tree };
}

async function compare(
  run: readonly [string, ...string[]],
  { sandbox: box, tree, pairs: count, what, limit }: Box & { pairs: number; what: string; limit?: number },
): Promise<Reading> {
  const signal = new AbortController().signal;
  const pairs = await takePairs(count, {
    subject: () => timed(() => box.run({ run, cwd: tree, timeoutMs: 60_000, signal })),
    baseline: () =>
      timed(() => once(spawn(run[0], run.slice(1), { stdio: ["ignore", "pipe", "pipe"], env: {} }), "close")),
  });
  return {
    what,
    unit: "x",
    ...ratioOfMinima(pairs),
    ...(limit === undefined ? {} : { goal: { is: "<=", limit } }),
    absolute: `${short(Math.min(...pairs.subject))} ms / ${short(Math.min(...pairs.baseline))} ms`,
  };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}
