import { createHash } from "node:crypto";
import type { AgentSpec } from "../protocol/agent.ts";
import { Fault } from "../protocol/failure.ts";
import type { Base, JobSpec } from "../protocol/job.ts";
import type { PlanLock } from "../protocol/plan-lock.ts";
import type { JobSource } from "./job-source.ts";
import { textsNoted } from "./named-texts.ts";
import { type ResolveOptions, resolveJob } from "./resolve-job.ts";

/**
 * A job with the plan that a lock holds: exactly that, or not at all. The commit, the job with all texts it names, and
 * the agent files must be those it was planned with. Throws Fault `usage` where one of them is another.
 */
export async function resolveLocked(
  source: JobSource,
  options: ResolveOptions & { base: Base; lock: PlanLock },
): Promise<JobSpec> {
  const { base, lock } = options;
  if (base.commit !== lock.base.commit) throw otherCommit(base, lock);
  const { spec, sha256 } = await resolveHashed(source, options);
  if (sha256 !== lock.of.sha256) throw changed("the job, or a file that it names, has changed since it was planned");
  refuseOtherAgents(lock, spec);
  if ((lock.plan === undefined) === (lock.parts === undefined)) throw changed("it holds no plan, or two");
  if (lock.plan !== undefined && spec.split.by !== "planner") throw changed("its plan is that of another job");
  return { ...spec, ...(lock.plan ? { plan: lock.plan } : {}), ...(lock.parts ? { parts: lock.parts } : {}) };
}

/** A job, and the sha256 of all it is made of but its repository: its JSON form and the texts that it names. */
export async function resolveHashed(
  source: JobSource,
  options: ResolveOptions & { base: Base },
): Promise<{ spec: JobSpec; sha256: string }> {
  const files = new Map<string, string>();
  const spec = await resolveJob({ ...source, texts: textsNoted(source.texts, files) }, options);
  const named = [...files].sort(([left], [right]) => (left < right ? -1 : 1));
  const sha256 = createHash("sha256")
    .update(JSON.stringify([source.written, named]))
    .digest("hex");
  return { spec, sha256 };
}

/** The agents of the job that came from files of the repository. */
export function agentsToLock(spec: JobSpec): PlanLock["agents"] {
  const known = new Map<string, PlanLock["agents"][number]>();
  for (const { name, file } of agentsOf(spec)) if (file) known.set(name, { name, ...file });
  return [...known.values()];
}

function agentsOf({ agents = [], worker, before, each, after, tasks }: JobSpec): AgentSpec[] {
  const steps = [...before, ...each, ...after, ...tasks.flatMap((task) => task.steps)];
  const ofSteps = steps.flatMap((step) => (step.kind === "agent" ? [step.agent] : []));
  return [...agents, ...(worker ? [worker] : []), ...ofSteps];
}

function refuseOtherAgents(lock: PlanLock, spec: JobSpec): void {
  const now = new Map(agentsToLock(spec).map((agent) => [agent.name, agent]));
  const other = lock.agents.find(({ name, path, sha256 }) => {
    const agent = now.get(name);
    return agent?.sha256 !== sha256 || agent.path !== path;
  });
  if (other)
    throw changed(`the agent ${JSON.stringify(other.name)} is another than when it was planned (${other.path})`);
}

function otherCommit(base: Base, lock: PlanLock): Fault {
  return new Fault(
    "usage",
    `the plan is for the commit ${lock.base.commit.slice(0, 12)}, and the job would start from ${base.ref} at ${base.commit.slice(0, 12)}`,
    { remedy: "leave out --ref to run it where it was planned, or plan again: sheaf plan -o FILE" },
  );
}

function changed(what: string): Fault {
  return new Fault("usage", `the locked plan cannot be executed: ${what}`, {
    remedy: "plan again: sheaf plan -o FILE",
  });
}
