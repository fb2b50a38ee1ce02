import { Fault } from "../../protocol/failure.ts";
import type { AgentStep, Step } from "../../protocol/step.ts";
import type { Task } from "../../protocol/task.ts";

/** Who could make a call: an agent's step of a task. */
export interface Place {
  task: Pick<Task, "id" | "writes">;
  step: AgentStep;
}

/** All that a question is about, in order. Throws Fault `usage` for a task or an agent that is not there, or none at all. */
export function placesOf(
  { task: wanted, agent }: { task?: string | undefined; agent?: string | undefined },
  tasks: readonly (Place["task"] & { steps: readonly Step[] })[],
): Place[] {
  const chosen = wanted === undefined ? tasks : tasks.filter(({ id }) => id === wanted);
  if (wanted !== undefined && chosen.length === 0) {
    const known = tasks.map(({ id }) => id);
    throw unknown("task", wanted, known);
  }
  const all = chosen.flatMap((task) =>
    task.steps.flatMap((step): Place[] => (step.kind === "agent" ? [{ task, step }] : [])),
  );
  const places = agent === undefined ? all : all.filter(({ step }) => step.agent.name === agent);
  if (places.length > 0) return places;
  if (agent !== undefined && all.length > 0) {
    const known = all.map(({ step }) => step.agent.name);
    throw unknown("agent", agent, known);
  }
  throw new Fault("usage", "no agent is asked anything there: the job's own commands are held by its writes", {
    remedy: "ask about a task that has a codemod or a prompt",
  });
}

function unknown(what: "task" | "agent", name: string, known: readonly string[]): Fault {
  const names = [...new Set(known)];
  const more = names.length > 20 ? `, and ${names.length - 20} more` : "";
  return new Fault("usage", `there is no ${what} ${JSON.stringify(name.slice(0, 100))}`, {
    remedy: `those there are: ${names.slice(0, 20).join(", ")}${more}`,
  });
}
