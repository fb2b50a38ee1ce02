import { dirname } from "node:path";
import type { Command, CommandOutcome, Sandbox } from "./driver.ts";
import type { Property } from "./properties.ts";

/** Whether a command that takes without end is stopped: in memory, in processes, in time. */
export async function tryLimits(
  sandbox: Sandbox,
  { tree, memoryBytes, processes }: { tree: string; memoryBytes: number; processes: number },
): Promise<Property[]> {
  const run = (command: Pick<Command, "run" | "timeoutMs" | "readable">) =>
    sandbox.run({ ...command, cwd: tree, signal: new AbortController().signal });
  const broken = [
    ...(memoryBytes > mostMemory ? [] : tooMuchMemory(await run(takeMemory(memoryBytes)))),
    ...(processes > mostProcesses ? [] : tooManyProcesses(await run(takeProcesses(processes)), processes)),
    ...((await run({ run: "sleep 30", timeoutMs: 100 })).isTimedOut ? [] : ["a command did not end in its time"]),
  ];
  const mebibytes = Math.round(memoryBytes / 2 ** 20);
  const memory = Number.isFinite(memoryBytes)
    ? `at ${mebibytes} MiB of private memory`
    : "at no amount of memory, as the operator chose,";
  const held = `a command was stopped at its time, ${memory} and at ${processes} processes`;
  return [{ name: "limits", isHeld: broken.length === 0, saw: broken.length === 0 ? held : broken.join("; ") }];
}

/** More is not worth the seconds that trying takes. */
const mostMemory = 2 ** 37;
const mostProcesses = 2_048;

/** Memory that is never touched costs the machine nothing, and counts. */
function takeMemory(bytes: number) {
  const step = 2 ** 26;
  const steps = Math.ceil(bytes / step) + 16;
  const script = `const kept = []; try { for (let i = 0; i < ${steps}; i++) kept.push(new ArrayBuffer(${step})); } catch { process.exit(3); }`;
  return { run: [process.execPath, "-e", script], timeoutMs: 60_000, readable: [dirname(process.execPath)] };
}

function tooMuchMemory({ exit, signal }: CommandOutcome): string[] {
  return exit === 0 && signal === null ? ["a command had more memory than its limit"] : [];
}

/** A shell that can start no more processes ends, and says so; one that can says the number. */
function takeProcesses(most: number) {
  const run = `i=0; while [ $i -lt ${most + 8} ]; do sleep 30 & i=$((i+1)); done; echo all of them`;
  return { run, timeoutMs: 60_000 };
}

function tooManyProcesses({ output }: CommandOutcome, most: number): string[] {
  return output.includes("all of them") ? [`a command had more than ${most} processes`] : [];
}
