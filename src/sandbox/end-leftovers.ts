import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { markOf } from "./bubblewrap-arguments.ts";
import { bubblewrapProgram } from "./diagnose-installation.ts";
import { isOfTheDead } from "./process-life.ts";

/**
 * Ends what a killed Sheaf with the same data folder left running. A sandbox dies with its parent by itself, but for one
 * whose parent was killed in the very millisecond before it could ask the kernel for that. Only what has no living parent
 * is touched.
 */
export function endLeftovers(dataFolder: string): void {
  const mark = markOf(dataFolder);
  for (const name of readdirSync("/proc")) {
    if (/^\d+$/.test(name) && isLeftover(name, mark)) kill(Number(name));
  }
  for (const folder of [networkFolder(dataFolder), pipeFolder(dataFolder)]) {
    const dead = list(folder).filter(isOfTheDead);
    for (const name of dead) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/** Where pipes have a name for a moment. */
export function pipeFolder(dataFolder: string): string {
  return join(dataFolder, "sandbox", "pipes");
}

/** Where the sockets of commands with a network lie. */
export function networkFolder(dataFolder: string): string {
  return join(dataFolder, "sandbox", "network");
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Its monitor outside, or the first process inside: both carry the words that the monitor was started with. */
function isLeftover(pid: string, mark: string): boolean {
  const words = read(`/proc/${pid}/cmdline`).split("\0");
  if (!words.includes(bubblewrapProgram) || !words.includes(mark)) return false;
  const parent = /^PPid:\s*(\d+)$/m.exec(read(`/proc/${pid}/status`))?.[1];
  return parent !== undefined && !isSheafs(parent, mark);
}

/** This process, another of ours that lives, or a monitor for the process inside. */
function isSheafs(parent: string, mark: string): boolean {
  const words = read(`/proc/${parent}/cmdline`).split("\0");
  return words.includes(mark) || /(^|\/)(node|sheaf)[^/]*$/.test(words[0] ?? "");
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself, or belongs to somebody else.
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
