import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import type { Figure, Reading } from "./figure.ts";
import { median, medianOfDifferences, type Pairs, pick, short, takePairs } from "./pairs.ts";

/** What a process of its own reports of each thread it started. */
const measured = z.object({ cpuMs: z.number(), megabytes: z.number() });

export const threadStart: Figure = {
  name: "thread-start",
  title: "a worker thread that speaks with its host and records one span / the same thread without tracing",
  async measure({ isQuick }) {
    const pairs = await takePairs(isQuick ? 3 : 11, {
      subject: () => startThreads("thread-with-tracer.ts"),
      baseline: () => startThreads("thread-without-tracer.ts"),
    });
    return [
      reading(
        "CPU that tracing adds to a thread's start",
        pick(pairs, ({ cpuMs }) => cpuMs),
        "ms",
        100,
      ),
      reading(
        "memory that tracing adds to a thread",
        pick(pairs, ({ megabytes }) => megabytes),
        "MB",
        8,
      ),
    ];
  },
};

async function startThreads(entry: string): Promise<z.infer<typeof measured>> {
  const script = join(import.meta.dirname, "start-threads.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [script, join(import.meta.dirname, entry)]);
  return measured.parse(JSON.parse(stdout));
}

function reading(what: string, pairs: Pairs<number>, unit: "ms" | "MB", limit: number): Reading {
  const [subject, baseline] = [median(pairs.subject), median(pairs.baseline)];
  const absolute = `${short(subject)} ${unit} / ${short(baseline)} ${unit} a thread, ${short(subject / baseline)}x`;
  return { what, unit, ...medianOfDifferences(pairs, unit), goal: { is: "<=", limit }, absolute };
}
