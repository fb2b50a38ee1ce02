import { copyFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Fault } from "../protocol/failure.ts";
import { describeEnding, lastLines } from "./command-ending.ts";
import type { Sandbox } from "./driver.ts";
import type { Bait } from "./properties-bait.ts";
import type { CallProgram } from "./properties-calls.ts";
import type { Attempts, Trial } from "./properties-inside.ts";

/** Runs the program that tries to get out, with this very Node, which it may read for that. */
export async function attemptsOf(
  sandbox: Sandbox,
  about: { bait: Bait; programs: readonly CallProgram[]; marks: Trial["marks"] },
): Promise<Attempts> {
  const { tree, read, open, make, connect, folders } = about.bait;
  const [from, name] = import.meta.url.endsWith(".ts")
    ? ["properties-inside.ts", "look.mts"]
    : ["properties-inside.js", "look.mjs"];
  await copyFile(fileURLToPath(new URL(from, import.meta.url)), join(tree, name));
  for (const program of about.programs) await writeFile(join(tree, program.name), program.bytes, { mode: 0o755 });
  await sandbox.handOver(tree);
  const calls = about.programs.map((program) => program.name);
  const marks = { command: backwards(about.marks.command), secret: backwards(about.marks.secret) };
  const trial: Trial = { read, open, make, connect, folders, calls, marks };
  const ended = await sandbox.run({
    run: [process.execPath, "--no-warnings", name, JSON.stringify(trial)],
    cwd: tree,
    timeoutMs,
    readable: [dirname(process.execPath)],
    signal: new AbortController().signal,
    stdoutBytes: mostBytes,
  });
  return parsed(
    ended.stdout?.bytes.toString() ?? "",
    () => `${describeEnding(ended)}: ${lastLines(ended.output.toString())}`,
  );
}

const timeoutMs = 60_000;
const mostBytes = 2 ** 20;

function backwards(text: string): string {
  return [...text].reverse().join("");
}

/** Printed by our own program; a command of somebody else has had no part in it. */
function parsed(said: string, ending: () => string): Attempts {
  try {
    return JSON.parse(said);
  } catch (cause) {
    const message = `the program that tries the sandbox did not come to its end: ${ending()}`;
    throw new Fault("sandbox_unavailable", message, { cause });
  }
}
