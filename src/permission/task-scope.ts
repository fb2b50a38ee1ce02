import type { PathPattern, Rule, Scope, ScopeLayer } from "../protocol/scope.ts";

/** What a task's run is given to begin with. */
export interface TaskGrant {
  /** What the task may edit. */
  writes: readonly PathPattern[];
  /** The job's rules: `allow` widens what all its tasks may do, `deny` always holds. */
  job: { allow: readonly Rule[]; deny: readonly Rule[] };
  /** What one step of the task may edit, which may only narrow. */
  step?: readonly PathPattern[];
  /** An agent definition, which may only narrow. */
  agent?: { name: string; allow?: readonly Rule[] };
  /** The tools offered to the model. */
  tools: readonly string[];
}

/** A task may read the whole repository and edit its `writes`; the job's rules and the agent's follow. */
export function taskScope(grant: TaskGrant): Scope {
  const task: ScopeLayer = { source: "task", allow: [readAll, ...edits(grant.writes), ...grant.job.allow], deny: [] };
  const job: ScopeLayer = { source: "job", allow: [readAll, editAll], deny: [...grant.job.deny] };
  const layers = grant.job.deny.length > 0 ? [task, job] : [task];
  if (grant.step) layers.push({ source: "step", allow: [readAll, ...edits(grant.step)], deny: [] });
  const scope = { layers, tools: [...grant.tools] };
  return grant.agent?.allow ? narrow(scope, agentLayer(grant.agent.name, grant.agent.allow)) : scope;
}

function edits(paths: readonly PathPattern[]): Rule[] {
  return paths.map((pattern): Rule => ({ id: `Edit(${describe(pattern)})`, tool: "Edit", paths: pattern }));
}

/** Adds a voice that can only take away: every layer must allow. */
export function narrow(parent: Scope, request: ScopeLayer): Scope {
  return { layers: [...parent.layers, request], tools: parent.tools };
}

const whole: PathPattern = { directories: [""] };
const readAll: Rule = { id: "Read", tool: "Read", paths: whole };
const editAll: Rule = { id: "Edit", tool: "Edit", paths: whole };

/** A list with Edit rules and no word about Read leaves reading as it was: nobody edits blind. */
function agentLayer(name: string, allow: readonly Rule[]): ScopeLayer {
  const isSilentOnRead = allow.length > 0 && allow.every((rule) => rule.tool !== "Read");
  return { source: `agent ${name}`, allow: isSilentOnRead ? [readAll, ...allow] : [...allow], deny: [] };
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
