import type { PathPattern, PermissionMode, Rule, Scope, ScopeLayer } from "../protocol/scope.ts";
import { offeredTools } from "./offered-tools.ts";

/** What a task's run is given to begin with. */
export interface TaskGrant {
  /** What the task may edit. */
  writes: readonly PathPattern[];
  /** The job's rules: `allow` widens what all its tasks may do, `ask` and `deny` always hold. */
  job: JobRules;
  /** What one step of the task may edit and do, which may only narrow. */
  step?: { writes?: readonly PathPattern[] | undefined; allow?: readonly Rule[] | undefined };
  /** An agent definition, which may only narrow. */
  agent?: { name: string; allow?: readonly Rule[] | undefined; deny?: readonly Rule[] | undefined };
  /** What the operator lets any job do at most. */
  ceiling?: { allow?: readonly Rule[]; ask: readonly Rule[]; deny: readonly Rule[] };
  /** The tools there are for it; it is offered those of them that its scope could ever allow. */
  tools: readonly string[];
}

interface JobRules {
  allow: readonly Rule[];
  ask?: readonly Rule[] | undefined;
  deny: readonly Rule[];
  grant?: readonly Rule[] | undefined;
  mode?: PermissionMode | undefined;
}

/**
 * A task may read the whole repository and edit its `writes`; the job's rules, the step's, the agent's and the
 * operator's follow. The first layer alone grants; no later one can give back what an earlier one did not.
 */
export function taskScope(grant: TaskGrant): Scope {
  const { job } = grant;
  const layers = layersOf(grant, []);
  const scope: Scope = {
    layers,
    tools: [],
    ...(job.mode ? { mode: job.mode } : {}),
    ...(job.grant?.length ? { grantable: layersOf(grant, job.grant) } : {}),
  };
  return { ...scope, tools: offeredTools(scope, grant.tools) };
}

/** `more` is what every list of what is allowed has besides, but the operator's. */
function layersOf({ writes, job, step = {}, agent, ceiling }: TaskGrant, more: readonly Rule[]): ScopeLayer[] {
  const task: ScopeLayer = {
    source: "task",
    allow: [readAll, ...editsOf(writes), ...job.allow, ...more],
    // What is asked about and not allowed is a question all the same: it is granted by whoever answers.
    ask: [...(job.ask ?? [])],
    deny: [],
  };
  const others: ScopeLayer[] = [
    { source: "job", deny: [...job.deny] },
    ...(step.writes ? [writing(step.writes, more)] : []),
    ...(step.allow ? [{ source: "step", allow: allowing(step.allow, more), deny: [] }] : []),
    ...(agent ? [agentLayer(agent, more)] : []),
    ...(ceiling ? [operatorLayer(ceiling)] : []),
  ];
  return [task, ...others.filter(speaks)];
}

function speaks({ allow, ask, deny }: ScopeLayer): boolean {
  return allow !== undefined || deny.length > 0 || (ask?.length ?? 0) > 0;
}

/** The `writes` of a step are about editing alone. */
function writing(paths: readonly PathPattern[], more: readonly Rule[]): ScopeLayer {
  return { source: "step", allow: [...editsOf(paths), ...more], limits: ["Edit"], deny: [] };
}

/** What an agent definition takes away. */
export function agentLayer(
  { name, allow, deny = [] }: NonNullable<TaskGrant["agent"]>,
  more: readonly Rule[],
): ScopeLayer {
  return { source: `agent ${name}`, ...(allow ? { allow: allowing(allow, more) } : {}), deny: [...deny] };
}

/** Taken by the letter: what its `allow` does not cover is denied, reading too. */
function operatorLayer({ allow, ask, deny }: NonNullable<TaskGrant["ceiling"]>): ScopeLayer {
  return { source: "operator", ...(allow ? { allow: [...allow] } : {}), ask: [...ask], deny: [...deny] };
}

const whole: PathPattern = { directories: [""] };
const readAll: Rule = { id: "Read", tool: "Read", paths: whole };

/** A list with other rules and no word about Read leaves reading as it was: nobody works blind. */
function allowing(allow: readonly Rule[], more: readonly Rule[]): Rule[] {
  const isSilentOnRead = allow.length > 0 && allow.every((rule) => rule.tool !== "Read");
  return isSilentOnRead ? [readAll, ...allow, ...more] : [...allow, ...more];
}

function editsOf(paths: readonly PathPattern[]): Rule[] {
  return paths.map((pattern): Rule => ({ id: `Edit(${describe(pattern)})`, tool: "Edit", paths: pattern }));
}

/** Short enough for a denial: long lists are counted. */
function describe(paths: PathPattern): string {
  if ("glob" in paths) return paths.glob;
  if ("files" in paths) return shorten(paths.files, "files");
  return shorten(
    paths.directories.map((directory) => (directory === "" ? "**" : `${directory}/**`)),
    "directories",
  );
}

function shorten(names: readonly string[], noun: string): string {
  return names.length <= 2 ? names.join(", ") : `${names[0]}, ... ${names.length} ${noun}`;
}
