import { createCoordinator, type LocalCoordinator } from "../../src/coordinator/coordinator.ts";
import type { AgentSpec } from "../../src/protocol/agent.ts";
import type { Event, Fact } from "../../src/protocol/event.ts";
import { type JobId, jobId } from "../../src/protocol/ids.ts";
import type { JobSpec, NamedTask } from "../../src/protocol/job.ts";
import type { Result } from "../../src/protocol/result.ts";
import type { AgentStep } from "../../src/protocol/step.ts";
import type { Repository } from "../../src/workspace/repository.ts";
import { eventsOf } from "./bench-job.ts";
import { type RecordedJob, recordJob } from "./cut-log.ts";
import { openTestBench, type TestBench } from "./equipment.ts";
import type { Asked, Spoken } from "./messages/reply.ts";
import { defaultKey } from "./messages/take.ts";
import { type MessagesServer, openMessagesServer } from "./messages-server.ts";

/** Jobs whose agents ask a real server, and what becomes of them when their process is gone. */
export interface ThinkingBench extends AsyncDisposable {
  bench: TestBench;
  server: MessagesServer;
  /** What was asked since then about the conversation that begins with `prompt`, by turn: the bodies as they came. */
  asked(prompt: string, since?: number): Map<number, string>;
}

export interface Call {
  name: string;
  input: unknown;
}

type Script = (asked: Asked) => readonly (readonly Call[])[];

export const model = { provider: "messages", via: "anthropic", model: "own" } as const;

/** `script` says the calls of all turns of a conversation; what is said depends on the place in it alone. */
export async function openThinkingBench(
  script: Script,
  more: Parameters<typeof openTestBench>[0] & {
    slow?: (asked: Asked) => Partial<Spoken> | Promise<Partial<Spoken>>;
  } = {},
): Promise<ThinkingBench> {
  const { slow, ...options } = more;
  const behave = async (asked: Asked) => {
    const { turn, first } = asked;
    const calls = (script(asked)[turn - 1] ?? []).map((each, at) => ({ ...each, id: `${first.length}_${turn}_${at}` }));
    return { say: `turn ${turn}`, calls, ...(await slow?.(asked)) };
  };
  const server = await openMessagesServer({ behave, leastTokens: 10, keep: "bodies" });
  const price = { input: 3, output: 15, cache_read: 0.3, cache_write_5m: 3.75 };
  const bench = await openTestBench({
    settings: { models: { own: { context: 100_000, output: 1_000, price } } },
    variables: { ANTHROPIC_BASE_URL: server.url, ANTHROPIC_API_KEY: defaultKey },
    ...options,
  });
  return {
    bench,
    server,
    asked: (prompt, since = 0) => {
      const own = server.logged.slice(since).filter(({ first }) => first.includes(prompt));
      return new Map(own.map(({ turn, body }) => [turn, JSON.stringify(body)]));
    },
    async [Symbol.asyncDispose]() {
      await bench[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** A task for one such agent, which may write below `one`. */
export function thinkingTask(prompt: string, more: Partial<AgentSpec> = {}, step: Partial<AgentStep> = {}): NamedTask {
  const agent = { name: "writer", instructions: "Write.", model, ...more };
  return { id: "one", writes: [{ directories: ["one"] }], steps: [{ kind: "agent", agent, prompt, ...step }] };
}

/** A job that was run to its end without a disturbance. */
export interface Undisturbed {
  id: JobId;
  spec: JobSpec;
  repository: Repository;
  result: Result;
  /** Of the task's run, in its log. */
  run: string;
  own: Event[];
  recorded: RecordedJob;
}

export async function recordRun(
  bench: TestBench,
  files: Readonly<Record<string, string>>,
  more: Partial<JobSpec>,
  onFact?: (fact: Fact, id: JobId) => unknown,
): Promise<Undisturbed> {
  const { repository, spec } = await bench.repository(files);
  const job: JobSpec = { ...spec, fresh: true, ...more };
  let root: JobId | undefined;
  const submitted = await bench.coordinator.submit({
    ...{ spec: job, repository },
    onFact(of, fact) {
      // A job has the id of its root run.
      if (fact.type === "job.created") root = jobId.parse(of);
      if (root) onFact?.(fact, root);
    },
  });
  const result = await submitted.done;
  const { id } = submitted;
  const events = await eventsOf(bench, id);
  const began = events.find(({ type }) => type === "task.started");
  const run = began?.type === "task.started" ? began.data.run_id : "";
  const recorded = await recordJob(id, run, bench.equipment.database);
  return { id, spec: job, repository, result, run, own: ownOf(events, run), recorded };
}

export function ownOf(events: readonly Event[], run: string): Event[] {
  return events.filter((event) => event.run_id === run);
}

let heirs = 0;

/** Somebody else takes the only open job of this database, and brings it to its end. */
export async function resume(
  { equipment, ...bench }: TestBench,
  id: JobId,
  during?: (heir: LocalCoordinator) => Promise<unknown>,
): Promise<{ result: Result; events: Event[] }> {
  const heir = createCoordinator({ ...equipment, node: `heir-${++heirs}` });
  const [taken] = await heir.takeUp();
  if (!taken) throw new Error("there is no job to go on with");
  const [result] = await Promise.all([taken.started.done, during?.(heir)]);
  await heir.idle();
  await heir[Symbol.asyncDispose]();
  return { result, events: await eventsOf({ ...bench, equipment }, id) };
}
