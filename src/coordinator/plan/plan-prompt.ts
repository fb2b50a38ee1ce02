import type { BaseCheck } from "../../protocol/plan.ts";
import type { PlanGround } from "../../split/check-plan.ts";

/** What a planner is asked, as its own first message. Pure, and free of times and paths of the machine. */
export function plannerPrompt({ spec, view }: PlanGround, baseChecks: readonly BaseCheck[]): string {
  const most = spec.split.by === "planner" ? spec.split.tasks : undefined;
  return [
    task,
    spec.prompt === undefined ? "" : `The goal:\n${spec.prompt.trim()}`,
    rules.join("\n"),
    most === undefined ? "" : `At most ${most} tasks.`,
    matched(view),
    agents(spec.agents ?? []),
    checks(baseChecks),
  ]
    .filter((paragraph) => paragraph !== "")
    .join("\n\n");
}

const task =
  "Study the repository and split the goal into tasks that agents can do side by side, each on its own files. You edit nothing yourself.";

const rules = [
  "How to split:",
  "- Look before you plan: list, glob and grep for every place that the goal touches, callers and tests included.",
  "- Give each task the smallest writes that suffice. Two tasks that run side by side never share a file.",
  "- Where one task builds on another's work, say so in needs. Fewer needs mean more work at the same time.",
  "- A goal says all that its agent has to know: it sees the repository and its own task, not the other tasks.",
  "- One task is right for what one agent does in a few minutes; do not split what belongs together.",
  "- land: together, where no part of the change is green alone, such as a rename with all its callers.",
  "- End by calling plan. A plan that comes back may be corrected once.",
];

const mostNamed = 300;

function matched({ files, isChosen }: PlanGround["view"]): string {
  if (!isChosen) return "";
  const chosen = files.filter((path) => isChosen(path));
  const named = chosen.slice(0, mostNamed).map((path) => `- ${path}`);
  const more = chosen.length > mostNamed ? `\n- and ${chosen.length - mostNamed} more` : "";
  return `Each of these ${chosen.length} files must be in the writes of some task:\n${named.join("\n")}${more}`;
}

function agents(known: readonly { name: string; description?: string | undefined }[]): string {
  if (known.length === 0) return "";
  const lines = known.map(({ name, description }) => `- ${name}${description ? `: ${description}` : ""}`);
  return `A task may name one of these agents; without a name a general one does it:\n${lines.join("\n")}`;
}

function checks(known: readonly BaseCheck[]): string {
  const lines = known
    .filter(({ is_left_out }) => is_left_out !== true)
    .map(({ run, state, detail }) => `- ${run}  (${state} at the base${detail ? `: ${detail}` : ""})`);
  if (lines.length === 0) return "";
  return `The merged tree is checked by these; a task may have one of them run on its own tree:\n${lines.join("\n")}`;
}
