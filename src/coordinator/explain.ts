import type { StoredJob } from "../db/find-job.ts";
import { readRunEvents } from "../db/read-events.ts";
import { type Call, parseCall } from "../permission/call.ts";
import { explainCall } from "../permission/explain-call.ts";
import type { Explanation } from "../protocol/explanation.ts";
import { Fault } from "../protocol/failure.ts";
import { runId } from "../protocol/ids.ts";
import type { AgentStep, JobSpec, Step } from "../protocol/job.ts";
import type { Task } from "../protocol/task.ts";
import { afterId, beforeId } from "../split/task-ids.ts";
import { toolNames } from "../tools/catalog.ts";
import { openRepository } from "../workspace/repository.ts";
import { unasked } from "./approval-decision.ts";
import type { Equipment } from "./equipment.ts";
import { type ScopeGround, scopeOf } from "./scope-of.ts";

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

/** Most explanations of one question; beyond that a task has to be named. */
const most = 1_000;

/**
 * One explanation where all tasks and agents agree, else one for each. Throws Fault `rule` for what is no call, `usage`
 * for a task or an agent that is not there, or too many that differ.
 */
export function explain(question: ExplainQuestion, ground: ExplainGround): Explanation[] {
  const call = parseCall(question.call);
  const places = placesOf(question, ground);
  const explained: Explanation[] = [];
  const kinds = new Set<string>();
  for (const { task, step } of places) {
    const explanation = explainOne(call, { task, step, ground });
    kinds.add(JSON.stringify(explanation));
    if (kinds.size > 1 && explained.length >= most) throw tooMany(places.length);
    explained.push({ ...explanation, task: task.id, agent: step.agent.name });
  }
  return kinds.size === 1 ? agreed(explained) : explained;
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
  const tasks = planned.data.tasks.map((task) => ({ ...task, steps: stepsOf(task.id, spec) }));
  const isCaseInsensitive = await isFolded(job, equipment);
  return explain(question, { spec, tasks, ceiling: equipment.ceiling, isCaseInsensitive });
}

/** The plan leaves steps out of the log; whose they are is told by the task's name. */
function stepsOf(id: Task["id"], { before, each, after, tasks }: JobSpec): Step[] {
  if (before.length > 0 && id === beforeId) return before;
  if (after.length > 0 && id === afterId) return after;
  return tasks.find((task) => task.id === id)?.steps ?? each;
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

interface Place {
  task: Pick<Task, "id" | "writes">;
  step: AgentStep;
}

function placesOf({ task: wanted, agent }: ExplainQuestion, { tasks }: ExplainGround): Place[] {
  const chosen = wanted === undefined ? tasks : tasks.filter(({ id }) => id === wanted);
  if (wanted !== undefined && chosen.length === 0)
    throw unknown(
      "task",
      wanted,
      tasks.map(({ id }) => id),
    );
  const all = chosen.flatMap((task) =>
    task.steps.flatMap((step): Place[] => (step.kind === "agent" ? [{ task, step }] : [])),
  );
  const places = agent === undefined ? all : all.filter(({ step }) => step.agent.name === agent);
  if (places.length > 0) return places;
  if (agent !== undefined && all.length > 0)
    throw unknown(
      "agent",
      agent,
      all.map(({ step }) => step.agent.name),
    );
  throw new Fault("usage", "no agent is asked anything there: the job's own commands are held by its writes", {
    remedy: "ask about a task that has a codemod or a prompt",
  });
}

function explainOne(call: Call, { task, step, ground }: Place & { ground: ExplainGround }): Explanation {
  const scope = scopeOf(task, step, { ...ground, tools: toolNames });
  const explanation = explainCall(scope, call, ground);
  if (explanation.effect !== "ask") return explanation;
  const { effect, rule, source, reason, suggestion } = explanation;
  const decision = { effect, rule, source, reason };
  const asked = { callId: "", tool: call.tool, input: question(call), inputSha256: "", decision, suggestion };
  return { ...explanation, ...(unasked(asked, ground) ?? {}) };
}

function question(call: Call): string {
  return call.tool === "Bash" ? call.command : "path" in call ? call.path : "";
}

function agreed(explained: readonly Explanation[]): Explanation[] {
  const [first] = explained;
  if (!first) return [];
  const { task, agent, ...rest } = first;
  const isOne = (key: "task" | "agent") => explained.every((each) => each[key] === first[key]);
  return [{ ...rest, ...(task && isOne("task") ? { task } : {}), ...(agent && isOne("agent") ? { agent } : {}) }];
}

function unknown(what: "task" | "agent", name: string, known: readonly string[]): Fault {
  const names = [...new Set(known)];
  const more = names.length > 20 ? `, and ${names.length - 20} more` : "";
  return new Fault("usage", `there is no ${what} ${JSON.stringify(name.slice(0, 100))}`, {
    remedy: `those there are: ${names.slice(0, 20).join(", ")}${more}`,
  });
}

function tooMany(count: number): Fault {
  return new Fault("usage", `the answer differs between ${count} tasks and agents, and at most ${most} are shown`, {
    remedy: "name a task",
  });
}
