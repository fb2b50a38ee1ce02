import type { Fact, FactData } from "../protocol/event.ts";
import { plannerId } from "../split/task-ids.ts";
import { inShort, shortId } from "./approval-text.ts";
import { liveScreen, type TaskLines, taskLine } from "./live-screen.ts";
import { planLines } from "./plan-view.ts";
import { takeRunFact } from "./task-progress.ts";
import type { Terminal } from "./terminal.ts";
import { count, duration, oneLine } from "./words.ts";

/**
 * Follows a job's facts as they are stored: a live table where stderr is a terminal, one plain line a fact elsewhere.
 * It knows nothing that is not in the log.
 */
export interface Progress {
  take(runId: string, fact: Fact): void;
  /** A line of somebody else's, above whatever is redrawn. */
  say(line: string): void;
  /** Shows what somebody is asked in the place of the table, until it is called without. Only where stderr is live. */
  prompt(text: string | undefined): void;
  /** Leaves the screen as a reader wants to find it. */
  end(): void;
}

export function followProgress(terminal: Terminal, now: () => number): Progress {
  const tasks: TaskLines = new Map();
  /** By the run that does it now: facts are many times as many as tasks. */
  const byRun: TaskLines = new Map();
  let isPlanOnly = false;
  const screen = terminal.isLive ? liveScreen(terminal, tasks, now) : undefined;
  const say = (line: string) => (screen ? screen.above(line) : terminal.tell(line));
  return {
    take(runId, fact) {
      if (fact.type === "job.created") isPlanOnly = fact.data.spec.is_plan_only === true;
      const task = byRun.get(runId);
      if (task?.runId === runId && tasks.get(task.id) === task) takeRunFact(task, fact);
      const line = lineOf(runId, fact, { tasks, now, isPlanOnly });
      if (fact.type === "task.started") noteRun(fact.data, { tasks, byRun });
      if (line !== undefined) say(line);
      screen?.redraw();
    },
    say,
    prompt: (text) => screen?.prompt(text),
    end: () => screen?.close(),
  };
}

function noteRun(
  { task_id, run_id }: FactData<"task.started">,
  { tasks, byRun }: { tasks: TaskLines; byRun: TaskLines },
): void {
  const task = tasks.get(task_id);
  if (task) byRun.set(run_id, task);
}

/** What a fact is worth saying; undefined for what is only detail. */
function lineOf(
  runId: string,
  fact: Fact,
  { tasks, now, isPlanOnly }: { tasks: TaskLines; now: () => number; isPlanOnly: boolean },
): string | undefined {
  switch (fact.type) {
    case "job.created":
      return `job    ${fact.data.handle}, base ${fact.data.spec.base.ref} at ${fact.data.spec.base.commit.slice(0, 12)}`;
    case "job.planned":
      return planned(fact.data, { tasks, isAll: isPlanOnly });
    case "task.started": {
      // Whoever plans is no task of the plan.
      if (fact.data.task_id === plannerId) tasks.set(plannerId, taskLine(plannerId, 0));
      const task = tasks.get(fact.data.task_id);
      if (task) Object.assign(task, { runId: fact.data.run_id, startedAt: task.startedAt ?? now(), turn: 0 });
      return fact.data.attempt > 1
        ? `again  ${fact.data.task_id}, attempt ${fact.data.attempt}, alone in its thread`
        : undefined;
    }
    case "tool.denied":
      return `DENIED ${taskOf(runId, tasks)}: ${fact.data.tool} ${oneLine(fact.data.input, 80)} — ${oneLine(fact.data.reason)}`;
    case "approval.requested":
      return requested(fact.data, taskOf(runId, tasks));
    case "approval.resolved":
      return resolved(fact.data);
    case "task.finished":
      return taskFinished(fact.data, { tasks, now });
    case "merge.conflicted":
      return `merge  ${fact.data.task_id} left out: ${oneLine(fact.data.reason)} in ${oneLine(fact.data.paths.join(", "), 80)}`;
    case "merge.folded":
      return `merge  ${count(fact.data.folded.length, "task")} folded in ${duration(fact.data.ms)}, no checkout`;
    case "setup.started":
      return `setup  ${oneLine(fact.data.run, 80)}  on ${fact.data.tree.slice(0, 12)} ...`;
    case "setup.finished":
      return `setup  ${fact.data.is_reused ? "as kept from before" : setupEnd(fact.data)}`;
    case "check.started":
      return `check  ${oneLine(fact.data.run, 80)}  on ${fact.data.tree.slice(0, 12)} ...`;
    case "check.finished":
      return `check  ${oneLine(fact.data.name, 80)}  on ${fact.data.tree.slice(0, 12)}  ${checkEnd(fact.data)}`;
    case "publish.intended":
      return `publish ${fact.data.kind} ${oneLine(fact.data.target)}`;
    default:
      return undefined;
  }
}

/** Where the plan is all there is of a job, nobody waits for anything, and whoever asked for it shows it. */
function planned(data: FactData<"job.planned">, { tasks, isAll }: { tasks: TaskLines; isAll: boolean }): string {
  tasks.delete(plannerId);
  const left = data.unsplit.length > 0 ? `, ${data.unsplit.length} left to nobody` : "";
  const files = data.tasks.reduce((sum, task) => sum + task.files.length, 0);
  const split = `split  ${data.strategy}: ${count(data.tasks.length, "task")}, ${count(files, "file")}${left}`;
  if (isAll) return split;
  for (const task of data.tasks) tasks.set(task.id, taskLine(task.id, task.files.length));
  if (!data.plan) return split;
  const shown = data.tasks.map((task) => ({ ...task, files: task.files.length }));
  return [split, ...planLines({ ...data, tasks: shown })].join("\n");
}

function taskFinished(
  data: FactData<"task.finished">,
  { tasks, now }: { tasks: TaskLines; now: () => number },
): string {
  const task = tasks.get(data.task_id);
  tasks.delete(data.task_id);
  const took = task?.startedAt === undefined ? "" : `  ${duration(now() - task.startedAt)}`;
  const why = data.failure ? `  ${oneLine(data.failure.message)}` : "";
  const seen = task ? `${String(task.files).padStart(6)} seen ` : "";
  return `task   ${data.task_id.padEnd(12)} ${seen}${String(data.files_changed).padStart(6)} changed  ${data.state}${took}${why}`;
}

function taskOf(runId: string, tasks: TaskLines): string {
  return [...tasks.values()].find((task) => task.runId === runId)?.id ?? "task";
}

function requested({ approval_id, tool, input }: FactData<"approval.requested">, task: string): string {
  const id = shortId(approval_id);
  const { line, isWhole } = inShort({ tool, input }, 100);
  const next = isWhole ? `sheaf approve ${id}, or sheaf deny ${id}` : "sheaf approvals shows it in full";
  return `ASK    ${id}  ${task}: ${line}; ${next}`;
}

function resolved({ approval_id, state, decided_by, remember, note }: FactData<"approval.resolved">): string {
  const who = decided_by === undefined ? "" : ` by ${oneLine(decided_by, 60)}`;
  const told = note === undefined ? "" : `: ${oneLine(note, 120)}`;
  return `ask    ${shortId(approval_id)}  ${state}${who}${remember ? " for the job" : ""}${told}`;
}

function setupEnd({ exit, duration_ms }: FactData<"setup.finished">): string {
  return `${exit === 0 ? "done" : exit === null ? "killed" : `failed, exit ${exit}`}  ${duration(duration_ms)}`;
}

function checkEnd(data: FactData<"check.finished">): string {
  if (data.timed_out) return `no end after ${duration(data.duration_ms)}`;
  const how = data.exit === 0 ? "green" : data.signal ? `killed by ${data.signal}` : `red, exit ${data.exit}`;
  return `${how}  ${duration(data.duration_ms)}`;
}
