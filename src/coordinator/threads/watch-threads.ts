import type { EventLoopUtilization } from "node:perf_hooks";
import type { Worker } from "node:worker_threads";

/**
 * Ends a thread that no longer answers. Silence alone proves nothing (the embedded database delays main's own
 * timers), so a thread counts as stuck only when its event loop was fully busy and none of its runs was heard
 * through a whole stall period.
 */
export interface Watched {
  /** 0 until the run has said where it landed. */
  readonly threadId: number;
  /** Milliseconds, of the last message. */
  readonly heardAt: number;
  ping(): void;
}

export interface ThreadWatch {
  begin(run: Watched): void;
  end(run: Watched): void;
  close(): void;
}

export function watchThreads(options: {
  threads: () => readonly Worker[];
  stallMs: number;
  now: () => number;
}): ThreadWatch {
  const runs = new Set<Watched>();
  const loads = new Map<number, EventLoopUtilization>();
  const look = () => {
    for (const thread of options.threads()) {
      const load = thread.performance.eventLoopUtilization();
      const before = loads.get(thread.threadId);
      loads.set(thread.threadId, load);
      const share = before ? thread.performance.eventLoopUtilization(load, before).utilization : 0;
      const inIt = [...runs].filter((run) => run.threadId === thread.threadId);
      if (isStuck(inIt, share, options.now() - options.stallMs)) void thread.terminate();
    }
    for (const run of runs) run.ping();
  };
  const timer = setInterval(look, Math.max(20, options.stallMs / 4));
  timer.unref();
  return {
    begin: (run) => void runs.add(run),
    end: (run) => void runs.delete(run),
    close: () => clearInterval(timer),
  };
}

/** Exported for its test: pure. */
export function isStuck(runs: readonly { heardAt: number }[], busyShare: number, deadline: number): boolean {
  return runs.length > 0 && busyShare > 0.98 && runs.every((run) => run.heardAt < deadline);
}
