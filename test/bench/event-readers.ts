import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { JobSpec, NamedTask } from "../../src/protocol/job.ts";
import { openTestDatabase } from "../support/database.ts";
import { openTestBench, type TestBench } from "../support/equipment.ts";
import type { Figure } from "./figure.ts";
import { ratioOfMinima, short, takePairs } from "./pairs.ts";
import { serveBench } from "./serve-bench.ts";

const readers = 200;

/** What the readers of a job's events cost the process that runs it; the readers themselves are another process. */
export const eventReaders: Figure = {
  name: "event-readers",
  title: `a busy job with ${readers} readers of its events / with one, CPU of the server`,
  async measure({ isQuick }) {
    await using bench = await openTestBench({ openDatabase: openTestDatabase });
    await using served = await serveBench(bench);
    const run = (count: number) => cpuOfJob(bench, { ...served, count, tasks: isQuick ? 10 : 40 });
    const pairs = await takePairs(isQuick ? 1 : 5, { subject: () => run(readers), baseline: () => run(1) });
    const absolute = `${short(Math.min(...pairs.subject) / 1e3)} s / ${short(Math.min(...pairs.baseline) / 1e3)} s of CPU`;
    const goal = { is: "<=", limit: 3 } as const;
    return [{ what: `${readers} readers / 1 reader`, unit: "x", ...ratioOfMinima(pairs), goal, absolute }];
  },
};

/** Milliseconds of CPU from the job's start until every reader has its last event. */
async function cpuOfJob(
  { coordinator, repository: plant }: TestBench,
  { url, token, count, tasks }: { url: string; token: string; count: number; tasks: number },
): Promise<number> {
  const { repository, spec } = await plant({ "README.md": "base\n" });
  const job: JobSpec = { ...spec, tasks: Array.from({ length: tasks }, (_, index) => chatty(`task-${index}`)) };
  const child = fork(join(import.meta.dirname, "read-events.ts"));
  await once(child, "message");
  const before = process.cpuUsage();
  const { id, done } = await coordinator.submit({ spec: job, repository });
  const heard = answer(child);
  child.send({ url: `${url}/v1/jobs/${id}/events`, token, count });
  await done;
  const events = await heard;
  const { user, system } = process.cpuUsage(before);
  if (events < tasks * turns * 2) throw new Error(`the readers heard only ${events} events`);
  return (user + system) / 1_000;
}

async function answer(child: ChildProcess): Promise<number> {
  const [heard] = await once(child, "message");
  return Number(heard);
}

const turns = 20;

function chatty(id: string): NamedTask {
  const write = (turn: number) => ({
    say: `Turn ${turn}. `.repeat(20),
    calls: [{ tool: "write", input: { file_path: `${id}/${turn}.txt`, content: `${turn}\n` } }],
  });
  const model = {
    provider: "scripted" as const,
    file: id,
    turns: Array.from({ length: turns }, (_, turn) => write(turn)),
  };
  const step = { kind: "agent" as const, agent: { name: id, instructions: "", model }, prompt: "write" };
  return { id, writes: [{ directories: [id] }], steps: [step] };
}
