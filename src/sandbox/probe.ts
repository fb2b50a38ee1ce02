import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { toFailure } from "../protocol/failure.ts";
import { describeEnding } from "./command-ending.ts";
import { diagnose } from "./diagnose.ts";
import type { Machine } from "./diagnose-machine.ts";
import type { NoSandbox, Sandbox } from "./driver.ts";

/**
 * Runs a command exactly as every later one will be run. Nothing else makes a sandbox count as there: no version, no
 * setting of the kernel. Where it fails the answer is the cause on this machine, and no command runs.
 */
export async function probe(
  sandbox: Sandbox,
  { dataFolder, machine }: { dataFolder: string; machine: Machine },
): Promise<NoSandbox | undefined> {
  try {
    await mkdir(dataFolder, { recursive: true, mode: 0o700 });
    const tree = await mkdtemp(join(dataFolder, "probe-"));
    try {
      const saw = await tryIn(tree, sandbox);
      return saw === undefined ? undefined : diagnose({ saw }, machine);
    } finally {
      await rm(tree, { recursive: true, force: true });
    }
  } catch (thrown) {
    const { message, remedy } = toFailure(thrown);
    return diagnose({ saw: message, remedy }, machine);
  }
}

/** A machine that cannot start a process in that time runs no job either. */
const timeoutMs = 30_000;

async function tryIn(tree: string, sandbox: Sandbox): Promise<string | undefined> {
  await sandbox.handOver(tree);
  // It has to say something: what does nothing at all ends well too.
  const run = "echo inside; true";
  const ended = await sandbox.run({ run, cwd: tree, timeoutMs, signal: new AbortController().signal });
  const said = ended.output.toString();
  if (ended.exit === 0 && said === "inside\n") return undefined;
  return said.trim() === "" ? describeEnding(ended) : said;
}
