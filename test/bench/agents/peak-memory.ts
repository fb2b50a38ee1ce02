import { readFileSync } from "node:fs";

/** Largest resident memory, in MB, of the process that a shell started first, as the kernel keeps it. */
export function watchPeakMemory(): { onStart(pid: number): void; stop(): number } {
  let peakMb = 0;
  let timer: NodeJS.Timeout | undefined;
  return {
    onStart(shell) {
      timer = setInterval(() => {
        peakMb = Math.max(peakMb, peakOf(shell));
      }, 100);
    },
    stop() {
      clearInterval(timer);
      return peakMb;
    },
  };
}

function peakOf(shell: number): number {
  try {
    const status = readFileSync(`/proc/${childOf(shell)}/status`, "utf8");
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1_024;
  } catch {
    // It has ended.
    return 0;
  }
}

/** The process that a shell started first. */
export function childOf(shell: number): number {
  const [child = ""] = readFileSync(`/proc/${shell}/task/${shell}/children`, "utf8").trim().split(" ");
  return Number(child);
}
