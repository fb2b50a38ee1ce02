import { setImmediate as othersFirst } from "node:timers/promises";
import type { StoredJob } from "../db/find-job.ts";
import { readRunEvents } from "../db/read-events.ts";
import { parseCall } from "../permission/call.ts";
import type { Explanation } from "../protocol/explanation.ts";
import { Fault } from "../protocol/failure.ts";
import { runId } from "../protocol/ids.ts";
import type { JobSpec } from "../protocol/job.ts";
import type { Task } from "../protocol/task.ts";
import { stepsAsPlanned } from "../split/planned-tasks.ts";
import { openRepository } from "../workspace/repository.ts";
import type { Equipment } from "./equipment.ts";
import { explainOnce } from "./explain/explain-once.ts";
import { placesOf } from "./explain/explain-places.ts";
import type { ScopeGround } from "./tasks/scope-of.ts";

/**
 * Says what would become of a call, and why, by the same scope and the same functions that decide it in a run. It sees no
 * disk: where a link leads is decided when a run meets it.
 */
export interface ExplainQuestion {
  /** `Bash(npm test)`, `Edit(src/a.ts)`. */
  call: string;
  /** Only for that task, and for agents of that name. */
  task?: string | undefined;
  agent?: string | undefined;
}

export interface ExplainGround extends Omit<ScopeGround, "tools" | "spec"> {
  spec: JobSpec;
  /** In their order, each with its steps. */
  tasks: readonly Pick<Task, "id" | "writes" | "steps">[];
  isCaseInsensitive: boolean;
}

/** Most explanations of one question, and most characters of them together; beyond that a task has to be named. */
const most = 1_000;
const mostCharacters = 1_000_000;

/** Others are let on after so long: a job may have very many tasks, and whoever asks costs nobody else. */
const turnMs = 10;

/**
 * One explanation where all tasks and agents agree, else one for each. Throws Fault `rule` for what is no call, `usage`
 * for a task or an agent that is not there, or too many that differ.
 */
export async function explain(question: ExplainQuestion, ground: ExplainGround): Promise<Explanation[]> {
  refuseOfMachine(question.call);
  const explainAt = explainOnce(parseCall(question.call), ground);
  const places = placesOf(question, ground.tasks);
  const explained: Explanation[] = [];
  const kinds = new Kinds();
  let began = performance.now();
  for (const place of places) {
    const explanation = explainAt(place);
    kinds.add(explanation);
    if (kinds.differ && (explained.length >= most || kinds.characters > mostCharacters)) throw tooMany(places.length);
    explained.push({ ...explanation, task: place.task.id, agent: place.step.agent.name });
    if (performance.now() - began > turnMs) {
      await othersFirst();
      began = performance.now();
    }
  }
  return kinds.differ ? explained : agreed(explained);
}

/** A rule may begin with the root of the repository; a call that does names a path of the machine, as in a run. */
function refuseOfMachine(call: string): void {
  const [, tool, path] = /^\s*(Read|Edit)\(\s*\/+(.*)\)\s*$/s.exec(call) ?? [];
  if (tool === undefined) return;
  throw new Fault(
    "rule",
    `${JSON.stringify(call)} names a path of the machine, and a run denies all outside its workspace`,
    {
      remedy: `for the file of the repository, leave the slash out: ${tool}(${path})`,
    },
  );
}

/** How many explanations there are, and how long they are together. The same one comes as the same object. */
class Kinds {
  readonly #lengths = new Map<Explanation, number>();
  readonly #texts = new Set<string>();
  characters = 0;

  get differ(): boolean {
    return this.#texts.size > 1;
  }

  add(explanation: Explanation): void {
    let length = this.#lengths.get(explanation);
    if (length === undefined) {
      const text = JSON.stringify(explanation);
      this.#texts.add(text);
      length = text.length;
      this.#lengths.set(explanation, length);
    }
    this.characters += length;
  }
}

/** The same question about a job that was taken in. */
export async function explainStored(
  job: StoredJob,
  question: ExplainQuestion,
  equipment: Pick<Equipment, "database" | "git" | "home" | "ceiling">,
): Promise<Explanation[]> {
  const facts = await readRunEvents(runId.parse(job.id), 0, equipment.database);
  const created = facts.find((fact) => fact.type === "job.created");
  const planned = facts.find((fact) => fact.type === "job.planned");
  if (!created || !planned) {
    throw new Fault("usage", `job ${job.handle} has no tasks: its plan is not made, or could not be`, {
      remedy: "ask again when it runs, or explain the job file itself",
    });
  }
  const { spec } = created.data;
  const { plan } = planned.data;
  const stepsOf = stepsAsPlanned(spec, plan);
  const tasks = planned.data.tasks.map((task) => ({ ...task, steps: stepsOf(task.id) }));
  const isCaseInsensitive = await isFolded(job, equipment);
  return explain(question, { spec, tasks, ceiling: equipment.ceiling, isCaseInsensitive });
}

/** A repository that is gone cannot be asked; its own rules hold as they were written. */
async function isFolded({ repository }: StoredJob, { git, home }: Pick<Equipment, "git" | "home">): Promise<boolean> {
  const opened = await openRepository(repository, { home, git }).catch((thrown: unknown) => {
    if (thrown instanceof Fault) return undefined;
    throw thrown;
  });
  await opened?.close();
  return opened?.isCaseInsensitive ?? false;
}

function agreed(explained: readonly Explanation[]): Explanation[] {
  const [first] = explained;
  if (!first) return [];
  const { task, agent, ...rest } = first;
  const isOne = (key: "task" | "agent") => explained.every((each) => each[key] === first[key]);
  return [{ ...rest, ...(task && isOne("task") ? { task } : {}), ...(agent && isOne("agent") ? { agent } : {}) }];
}

function tooMany(count: number): Fault {
  return new Fault("usage", `the answer differs between ${count} tasks and agents: too much to show`, {
    remedy: "name a task",
  });
}
