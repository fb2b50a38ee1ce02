import { closeSync, readdirSync, readFileSync } from "node:fs";

/**
 * Closes what whoever started Sheaf left open for it above the three standard streams. Node opens nothing that a child
 * would inherit, but what came open this way would pass through it into every command: a descriptor of a folder is a way
 * out of any sandbox. Once in a process, and best before it has opened anything: later the system may tell of a number
 * that somebody else has just got.
 */
export function closeInherited(): void {
  if (isDone) return;
  isDone = true;
  if (process.platform !== "linux") return;
  for (const name of readdirSync("/proc/self/fd")) {
    const descriptor = Number(name);
    if (descriptor > 2 && isInheritable(descriptor)) closeSync(descriptor);
  }
}

let isDone = false;

/** proc_pid_fdinfo(5): the flags of the open file in octal, with O_CLOEXEC among them. */
function isInheritable(descriptor: number): boolean {
  try {
    const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "latin1"))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & closeOnExec) === 0;
  } catch {
    // The descriptor by which the folder was read, closed by now.
    return false;
  }
}

const closeOnExec = 0o2000000;
