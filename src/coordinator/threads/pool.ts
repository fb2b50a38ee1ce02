import { existsSync } from "node:fs";
import { getCompileCacheDir } from "node:module";
import { dirname } from "node:path";
import type { MessagePort, Worker } from "node:worker_threads";
import { Piscina, queueOptionsSymbol } from "piscina";
import type { Failure } from "../../protocol/failure.ts";
import { type RunOrder, type RunReport, runReport } from "../../protocol/thread.ts";
import { type Lookers, openLookers } from "./lookers.ts";
import { openSeats } from "./seat-runs.ts";

/**
 * Worker threads: as many as cores where there is work for them, many runs in each. A thread is for concurrency and for containing a crash, never
 * for security. A suspect runs in a second pool where each thread holds one run, so that a death names its cause.
 */
export interface Pool {
  /** Hands a run to a thread. `died` means that the thread ended under it; the run itself may be innocent. */
  run(order: RunOrder, port: MessagePort, options: { isAlone: boolean }): Promise<PoolAnswer>;
  /**
   * Looks for text in the files of a bundle, in a thread that does nothing else meanwhile: one that does not come back
   * from a file is ended, and that is the query's mistake. Rejects with the signal's reason.
   */
  scan: Lookers["scan"];
  /** The same for what an agent searches, with less patience. */
  search: Lookers["search"];
  /** Live threads of runs, for a watch over endless loops. */
  threads(): readonly Worker[];
  /** Ends a thread; all its runs are answered with `died` and it is replaced. */
  end(threadId: number): void;
  close(): Promise<void>;
}

export type PoolAnswer = { kind: "report"; report: RunReport } | { kind: "died"; failure: Failure };

export interface PoolOptions {
  threads: number;
  /** Heap of one thread; Node's own limit when absent. Buffers are not counted by the engine. */
  heapMb?: number;
  runsPerThread: number;
  /** How long a thread may look at one file; long enough for any honest expression when absent. */
  lookMs?: number;
  /** Milliseconds. */
  now: () => number;
  /** The thread entry; another one only in tests that need a thread to die. */
  worker?: URL;
}

export function openPool(options: PoolOptions): Pool {
  const crowd: Piscina = createPiscina(options, {
    maxThreads: options.threads,
    concurrentTasksPerWorker: options.runsPerThread,
    loadBalancer: seatRuns(options, () => crowd.threads),
  });
  let alone: Piscina | undefined;
  const solitary = () => {
    alone ??= createPiscina(options, { maxThreads: mostAlone, concurrentTasksPerWorker: 1, idleMs: 5_000 });
    return alone;
  };
  let looking: Piscina | undefined;
  const lookers = () => {
    const maxThreads = Math.max(options.threads, leastLookers);
    looking ??= createPiscina(options, { maxThreads, concurrentTasksPerWorker: 1, idleMs: 5_000 });
    return looking;
  };
  const { scan, search } = openLookers({
    pool: lookers,
    causeOfDeath: (thrown) => causeOfDeath(thrown, options.heapMb),
    lookMs: options.lookMs,
  });
  const threads = () => [...crowd.threads, ...(alone?.threads ?? [])];
  return {
    async run(order, port, { isAlone }) {
      const pool = isAlone ? solitary() : crowd;
      try {
        // Never with `signal`: a task that has one gets a thread to itself.
        const task = { order, port, [queueOptionsSymbol]: { isWaiting: waitsForModel(order) } };
        const answer: unknown = await pool.run(task, { transferList: [port] });
        return { kind: "report", report: runReport.parse(answer) };
      } catch (thrown) {
        return { kind: "died", failure: causeOfDeath(thrown, options.heapMb) };
      }
    },
    scan,
    search,
    threads,
    end: (threadId) =>
      void threads()
        .find((thread) => thread.threadId === threadId)
        ?.terminate(),
    async close() {
      await Promise.all([crowd.destroy(), alone?.destroy(), looking?.destroy()]);
    },
  };
}

type LoadBalancer = NonNullable<NonNullable<ConstructorParameters<typeof Piscina>[0]>["loadBalancer"]>;

function seatRuns({ threads: most, now }: PoolOptions, threads: () => readonly Worker[]): LoadBalancer {
  const seats = openSeats({ threads, most, now });
  return (task, workers) => {
    const told = task[queueOptionsSymbol];
    const isWaiting = told !== null && "isWaiting" in told && told.isWaiting === true;
    return (isWaiting ? seats.waiting(workers) : seats.working(workers)) ?? null;
  };
}

function waitsForModel({ agent: { model } }: RunOrder): boolean {
  return model.provider === "messages";
}

/** Suspects at one time, each in a thread of its own: one that waits for a person must not hold up all others. */
const mostAlone = 8;

/**
 * When a thread reaches its heap limit, Node grants it 16 MB to come to an end in (node_worker.cc, heap limit
 * callback); one that overruns them takes the process with it. A young generation this small cannot promote as much
 * at once; at V8's default it can, and a busy machine showed it.
 */
const youngMb = 12;

interface Shape {
  maxThreads: number;
  concurrentTasksPerWorker: number;
  loadBalancer?: LoadBalancer;
  /** Threads come with the first task and go when idle so long; absent: one is there from the start, and all stay. */
  idleMs?: number;
}

function createPiscina(options: PoolOptions, { idleMs, ...shape }: Shape): Piscina {
  const pool = new Piscina({
    ...shape,
    filename: (options.worker ?? workerFile()).href,
    minThreads: idleMs === undefined ? 1 : 0,
    idleTimeout: idleMs ?? Number.POSITIVE_INFINITY,
    // The default freezes the thread's event loop between tasks, and with it the ports of all its runs.
    atomics: "disabled",
    resourceLimits: {
      maxYoungGenerationSizeMb: youngMb,
      ...(options.heapMb ? { maxOldGenerationSizeMb: options.heapMb } : {}),
    },
    // Nothing of our environment reaches a thread but where compiled code is kept, which halves its start.
    env: threadEnvironment(),
    workerHistogram: false,
    recordTiming: false,
  });
  // A thread that dies without a run has nobody to tell; Piscina has replaced it already.
  pool.on("error", () => {});
  return pool;
}

/** One look that never ends must leave a thread for all others. */
const leastLookers = 2;

function threadEnvironment(): Record<string, string> {
  const versioned = getCompileCacheDir();
  return versioned === undefined ? {} : { NODE_COMPILE_CACHE: dirname(versioned) };
}

/** `workers/agent.ts` beside `src/` in a checkout, `workers/agent.js` in `dist/`. */
function workerFile(): URL {
  const source = new URL("../../../workers/agent.ts", import.meta.url);
  return existsSync(source) ? source : new URL("../../../workers/agent.js", import.meta.url);
}

function causeOfDeath(thrown: unknown, heapMb: number | undefined): Failure {
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
  if (code === "ERR_WORKER_OUT_OF_MEMORY") {
    return {
      code: "thread_died",
      message: `its thread ran out of memory (heap limit ${heapMb ?? "of Node"}${heapMb ? " MB" : ""})`,
      remedy: "give each task fewer files, or raise threads.heap_mb in sheaf.config.yaml",
    };
  }
  const said = thrown instanceof Error ? thrown.message : String(thrown);
  return { code: "thread_died", message: `its thread ended: ${said}`, remedy: "see the last events of its log" };
}
