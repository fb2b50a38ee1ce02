import { join } from "node:path";
import { openGate } from "../../src/coordinator/gate/admission.ts";
import { HostPort } from "../../src/coordinator/port.ts";
import { openPool, type Pool } from "../../src/coordinator/threads/pool.ts";
import { runId, taskId } from "../../src/protocol/ids.ts";
import type { RunOrder } from "../../src/protocol/thread.ts";
import { toolNames } from "../../src/tools/catalog.ts";
import type { Bench, Figure, Reading } from "./figure.ts";
import { median, short } from "./pairs.ts";

/** Runs under way at the same time: alone on the machine, and as a fan-out begins. */
const widths = [1, 100];

/**
 * From the order of a run that is claimed and has its workspace to the first fact that its thread says, as the
 * coordinator hears it: port, pool, thread, agent loop and the way back. The thread is warm; nothing is stored.
 */
export const dispatch: Figure = {
  name: "dispatch",
  title: "a claimed run with its workspace, to the first event of its thread",
  async measure(bench) {
    const pool = openPool({ threads: 1, runsPerThread: 4_096, now: () => performance.now() });
    try {
      await takeAll(300, 1, { pool, bench });
      const readings: Reading[] = [];
      for (const width of widths) readings.push(await readingOf(width, { pool, bench }));
      return readings;
    } finally {
      await pool.close();
    }
  },
};

interface Around {
  pool: Pool;
  bench: Bench;
}

async function readingOf(width: number, around: Around): Promise<Reading> {
  const rounds = around.bench.isQuick ? 3 : 15;
  const count = Math.max(width, 100);
  const taken: number[] = [];
  for (let round = 0; round < rounds; round++) taken.push(await takeAll(count, width, around));
  const what = width === 1 ? "one after the other" : `${width} at once, of each one's share`;
  return {
    what: `dispatch of a run, ${what}`,
    value: Math.min(...taken),
    unit: "ms",
    goal: { is: "<=", limit: 0.5 },
    statistic: `minimum of ${rounds} times ${count} runs`,
    absolute: `${short(Math.min(...taken))} ms to ${short(Math.max(...taken))} ms, median ${short(median(taken))} ms`,
  };
}

/** Milliseconds for each: the median of those that are alone, and of all together the last one's divided by them. */
async function takeAll(count: number, width: number, around: Around): Promise<number> {
  if (width === 1) {
    const each: number[] = [];
    for (let index = 0; index < count; index++) each.push(await takeOne(around));
    return median(each);
  }
  const all = await Promise.all(Array.from({ length: count }, () => takeOne(around)));
  return Math.max(...all) / count;
}

/** Until its first fact, in milliseconds; answers once the run is over. */
async function takeOne({ pool, bench: { directory } }: Around): Promise<number> {
  const begun = performance.now();
  let heard = Number.NaN;
  const order = orderIn(directory);
  const port = new HostPort({
    scope: order.scope,
    root: directory,
    isCaseInsensitive: false,
    behind: async () => ({ kind: "missing" }),
    append: async () => {
      if (Number.isNaN(heard)) heard = performance.now();
    },
    ask: ({ decision }) => Promise.resolve({ decision: { ...decision, effect: "deny" }, facts: [] }),
    call: () => Promise.reject(new Error("it runs no command")),
    fetch: () => Promise.reject(new Error("it reads no file")),
    names: () => Promise.reject(new Error("it reads no folder")),
    desk: { answer: () => Promise.reject(new Error("it searches nothing")), own: () => {} },
    gate: openGate,
    span: () => {},
    progressed: () => {},
    now: () => performance.now(),
  });
  const answer = await pool.run(order, port.threadEnd, { isAlone: false });
  await port.close();
  if (answer.kind === "died") throw new Error(answer.failure.message);
  if (answer.report.state !== "succeeded") throw new Error(answer.report.failure?.message ?? "the run failed");
  return heard - begun;
}

function orderIn(directory: string): RunOrder {
  const whole = { directories: [""] };
  const allow = [{ id: "Read", tool: "Read" as const, paths: whole }];
  const turns = [{ calls: [{ tool: "submit", input: { summary: "done" } }] }];
  return {
    run_id: runId.parse("0190a0a0-0000-7000-8000-000000000000"),
    task_id: taskId.parse("part"),
    title: "part",
    agent: { name: "scripted", model: { provider: "scripted", file: "script.yaml", turns }, instructions: "" },
    prompt: "Submit.",
    brief: "",
    leftovers: [],
    files: [],
    scope: { layers: [{ source: "task", allow, deny: [] }], tools: [...toolNames] },
    workspace: {
      root: directory,
      scratch: join(directory, "scratch"),
      object_format: "sha1",
      is_case_insensitive: false,
    },
    traceparent: `00-${"1".repeat(32)}-${"2".repeat(16)}-01`,
    max_turns: 5,
  };
}
