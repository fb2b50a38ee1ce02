import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";

/** One life of a process number: the number alone is given to another process some time later. */
export interface Life {
  pid: number;
  /** One letter, as in `ps`: Z has ended, and waits for its parent to ask how. */
  state: string;
  /** When it began, in ticks of the kernel since the machine did. */
  since: string;
}

/** proc_pid_stat(5): state and start are the third and the twenty-second word; the second may hold anything. */
export function lifeOf(pid: number): Life | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    const words = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { pid, state: words[0] ?? "", since: words[19] ?? "" };
  } catch {
    return undefined;
  }
}

/** Begins the name of what belongs to this process, for `isOfTheDead` to tell once it has been killed. */
export function ownMark(): string {
  return `${process.pid}-${lifeOf(process.pid)?.since ?? ""}-${place()}-`;
}

/**
 * What that name belongs to can be used by nobody any more. A data folder may be shared with other machines and containers,
 * whose processes cannot be seen from here: of their names, and of those that do not say where, nothing is known.
 */
export function isOfTheDead(name: string): boolean {
  const [pid = "", since = "", where] = name.split("-");
  return markForm.test(name) && where === place() && lifeOf(Number(pid))?.since !== since;
}

/** It belongs to a process that nobody can look at from here, dead or alive. */
export function isOfElsewhere(name: string): boolean {
  return markForm.test(name) && name.split("-")[2] !== place();
}

const markForm = /^\d+-\d*-./;

let known: string | undefined;

/** Where process numbers mean what they mean here: since this start of the machine, and in this namespace of them. */
function place(): string {
  known ??= createHash("sha256").update(`${bootId()} ${namespace()}`).digest("hex").slice(0, 12);
  return known;
}

function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  } catch {
    return "";
  }
}

function namespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}
