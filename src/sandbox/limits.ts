import { readFileSync } from "node:fs";
import type { SandboxLimits } from "./open-sandbox.ts";

/**
 * What one command may use of the machine, set inside the sandbox: processes are counted by user and namespace, and a
 * limit set outside would count everything else of that user. It bounds each process, not their sum: only a control
 * group could, and none is made.
 */
export function limited(words: readonly string[], limits: SandboxLimits): string[] {
  return [
    prlimit,
    "--core=0",
    `--nproc=${limits.processes}`,
    // Of private memory that can be written to; what engines like V8, the JVM and Go merely reserve is much more.
    ...(Number.isFinite(limits.memoryBytes) ? [`--data=${limits.memoryBytes}`] : []),
    `--fsize=${limits.scratchBytes}`,
    `--nofile=${Math.min(mostOpenFiles, hardLimitOfFiles())}`,
    "--",
    ...words,
  ];
}

/** Of util-linux. */
const prlimit = "/usr/bin/prlimit";

/** More makes programs slow that close every file they could have open. */
const mostOpenFiles = 65_536;

let known: number | undefined;
function hardLimitOfFiles(): number {
  known ??= readHardLimit();
  return known;
}

/** proc_pid_limits(5): name, soft limit, hard limit, unit. */
function readHardLimit(): number {
  const line = /^Max open files\s+\S+\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"));
  return line ? Number(line[1]) : mostOpenFiles;
}
