import { writeFileSync } from "node:fs";
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { isMainThread } from "node:worker_threads";

/**
 * Loaded before a program (`node --import`), it measures how busy the main thread is between two SIGUSR2, and how late
 * its timers are; the second writes both to BENCH_PROBE_FILE.
 */
const file = process.env.BENCH_PROBE_FILE;
if (isMainThread && file) {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  let begun: ReturnType<typeof performance.eventLoopUtilization> | undefined;
  process.on("SIGUSR2", () => {
    if (!begun) {
      begun = performance.eventLoopUtilization();
      delay.enable();
      return;
    }
    const { utilization } = performance.eventLoopUtilization(begun);
    writeFileSync(file, JSON.stringify({ busy: utilization, p99Ms: delay.percentile(99) / 1e6 }));
  });
}
