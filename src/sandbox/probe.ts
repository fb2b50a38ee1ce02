import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { toFailure } from "../protocol/failure.ts";
import { describeEnding } from "./command-ending.ts";
import { diagnose } from "./diagnose.ts";
import { diagnoseInstallation } from "./diagnose-installation.ts";
import type { Machine } from "./diagnose-machine.ts";
import { orExternal } from "./diagnosis.ts";
import type { NoSandbox, Sandbox } from "./driver.ts";

/**
 * Runs a command exactly as every later one will be run. Nothing else makes a sandbox count as there: no version, no
 * setting of the kernel. Where it fails the answer is the cause on this machine, and no command runs. Throws Fault
 * `configuration` for what the operator wrote and cannot be, such as an account that there is not.
 */
export async function openTried(
  create: () => Sandbox,
  { dataFolder, machine }: { dataFolder: string; machine: Machine },
): Promise<Sandbox | NoSandbox> {
  try {
    const sandbox = create();
    const saw = await probe(sandbox, dataFolder);
    return saw === undefined ? sandbox : diagnose({ saw }, machine);
  } catch (thrown) {
    const { code, message, remedy } = toFailure(thrown);
    if (code === "configuration") throw thrown;
    if (code === "sandbox_unavailable") return diagnose({ saw: message, remedy }, machine);
    // Not bubblewrap's doing, so nothing of this machine explains it: a full disk, a folder that cannot be written.
    const missing = diagnoseInstallation(message, machine);
    return missing ?? { unavailable: `the sandbox could not be tried: ${message}`, remedy: remedy ?? orExternal };
  }
}

async function probe(sandbox: Sandbox, dataFolder: string): Promise<string | undefined> {
  await mkdir(dataFolder, { recursive: true, mode: 0o700 });
  const tree = await mkdtemp(join(dataFolder, "probe-"));
  try {
    return await tryIn(tree, sandbox);
  } finally {
    await rm(tree, { recursive: true, force: true });
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
