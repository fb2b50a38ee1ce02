import { findJob } from "../../db/find-job.ts";
import { readJobEvents } from "../../db/read-events.ts";
import type { AgentSpec } from "../../protocol/agent.ts";
import { Fault } from "../../protocol/failure.ts";
import type { JobSpec } from "../../protocol/job.ts";
import { type RecordedRun, type Recording, recording as recordingSchema } from "../../protocol/recording.ts";
import { createRecorder } from "../../transcript/record.ts";
import type { Equipment } from "../equipment.ts";
import type { Job } from "../job.ts";
import type { StepOrder } from "../tasks/step-order.ts";
import { stepsOf } from "../tasks/steps-of.ts";

/**
 * What agents answer from whose model is a recording: the log of an earlier job of this data folder, or a file that came
 * with the job. Each is read once a job, and a run gets no more of it than its own task and step.
 */
export async function recordedRuns(
  order: RecordedOrder,
  { job, equipment }: { job: Job; equipment: Equipment },
): Promise<RecordedRun[] | undefined> {
  const { task, ordinal, step } = order;
  const { model, name } = step.agent;
  if (model.provider !== "replay") return undefined;
  const recording = await opened(model, job, equipment);
  const here = recording.runs.filter((run) => run.task_id === task.id && run.step === ordinal);
  const own = here.filter(({ agent }) => agent === name);
  const runs = own.length > 0 ? own : here;
  return (order.depth ?? 1) > 1 ? nextOfEach(runs, startsBefore(order, job)) : runs;
}

type RecordedOrder = Pick<StepOrder, "task" | "ordinal" | "step" | "attempt" | "depth">;

/** An agent that is started with the same words again is answered as it was then: in the order of the recording. */
function nextOfEach(runs: readonly RecordedRun[], before: number): RecordedRun[] {
  const last = Math.max(...runs.map(({ attempt }) => attempt));
  const ofLast = runs.filter(({ attempt }) => attempt === last);
  const alike = Map.groupBy(ofLast, ({ turns }) => turns[0]?.opening?.prompt);
  return [...alike.values()].flatMap((each) => each[before] ?? []);
}

const starts = new WeakMap<Job, Map<string, number>>();

/** How often that was started already; this counts as one more. */
function startsBefore({ task, ordinal, step, attempt }: RecordedOrder, job: Job): number {
  const known = starts.get(job) ?? new Map<string, number>();
  starts.set(job, known);
  const key = JSON.stringify([task.id, ordinal, attempt, step.agent.name, step.prompt]);
  const before = known.get(key) ?? 0;
  known.set(key, before + 1);
  return before;
}

/** Throws Fault `replay` for a recording that is not there, is none, or is of a job that still runs. */
export async function requireRecordings(spec: JobSpec, equipment: Equipment): Promise<void> {
  const steps = stepsOf(spec).flatMap((step) => (step.kind === "agent" ? [step.agent] : []));
  const { planner, worker, agents: others = [] } = spec;
  const agents: AgentSpec[] = [...steps, ...others, ...(planner ? [planner] : []), ...(worker ? [worker] : [])];
  const models = agents.flatMap(({ model }) => (model.provider === "replay" ? [model] : []));
  for (const model of new Map(models.map((one) => [one.of, one])).values()) {
    if (model.recording === undefined) await requireEnded(model.of, equipment);
    else readRecording(model.of, model.recording);
  }
}

/** A thread gets its runs of a recording, not the whole of it. */
export function withoutRecording(agent: AgentSpec): AgentSpec {
  const { model } = agent;
  return model.provider === "replay" ? { ...agent, model: { provider: "replay", of: model.of } } : agent;
}

type Replayed = { of: string; recording?: string | undefined };

const openRecordings = new WeakMap<Job, Map<string, Promise<Recording>>>();

function opened({ of, recording }: Replayed, job: Job, equipment: Equipment): Promise<Recording> {
  const known = openRecordings.get(job) ?? new Map<string, Promise<Recording>>();
  openRecordings.set(job, known);
  const opening =
    known.get(of) ??
    (recording === undefined ? recordingOf(of, equipment) : Promise.resolve(readRecording(of, recording)));
  known.set(of, opening);
  return opening;
}

function readRecording(file: string, text: string): Recording {
  const read = recordingSchema.safeParse(JSON.parse(text));
  if (read.success) return read.data;
  const [first] = read.error.issues;
  throw new Fault("replay", `${file} is no recording: ${first?.path.join(".") || "at its top"}: ${first?.message}`, {
    remedy: "write one with: sheaf logs JOB --output-format recording > FILE.json",
  });
}

async function recordingOf(reference: string, equipment: Equipment): Promise<Recording> {
  const job = await requireEnded(reference, equipment);
  const recorder = createRecorder();
  for (let after = 0; ; ) {
    const events = await readJobEvents(job.id, after, equipment.database);
    for (const { event } of events) recorder.add(event);
    const last = events.at(-1);
    if (!last) return recorder.recording();
    after = last.pos;
  }
}

async function requireEnded(reference: string, { database }: Equipment) {
  const job = await findJob(reference, database);
  if (!job) {
    throw new Fault("replay", `there is no job ${JSON.stringify(reference)} to answer from`, {
      remedy: "sheaf list shows the jobs of this data folder; of another, take a file: replay/FILE.json",
    });
  }
  if (job.state === "finished") return job;
  throw new Fault("replay", `job ${job.handle} still runs, so it cannot be answered from`, {
    remedy: "wait for its end, or cancel it",
  });
}
