import { readFileSync } from "node:fs";

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
  return `${process.pid}-${lifeOf(process.pid)?.since ?? ""}-`;
}

/** What that name belongs to can be used by nobody any more. */
export function isOfTheDead(name: string): boolean {
  const [pid = "", since = "", ...rest] = name.split("-");
  return /^\d+$/.test(pid) && rest.length > 0 && lifeOf(Number(pid))?.since !== since;
}
