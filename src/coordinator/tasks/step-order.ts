import type { Spent } from "../../budget/job-budget.ts";
import type { Failure } from "../../protocol/failure.ts";
import type { Denial } from "../../protocol/result.ts";
import type { Scope } from "../../protocol/scope.ts";
import type { AgentStep, CommandStep } from "../../protocol/step.ts";
import type { Task } from "../../protocol/task.ts";
import type { RunReport } from "../../protocol/thread.ts";
import type { Span } from "../../telemetry/thread-tracer.ts";
import type { TakenTree } from "../../workspace/workspace.ts";
import type { EarlierSteps, FailedCommand } from "../brief/earlier-steps.ts";
import type { OutsideTools } from "../calls/outside-tools.ts";
import type { SetupFailed } from "../commands/setup-failed.ts";
import type { HandedIn } from "../plan/decide-plan.ts";
import type { PastRun } from "../resume/history.ts";

/** Where a run belongs, and what it may touch. */
export interface RunOrder {
  task: Task;
  /** Place of the step in its task, from 0. */
  ordinal: number;
  /** From 1. */
  attempt: number;
  /** The tree it starts from. */
  tree: string;
  scope: Scope;
}

/** A step for an agent, in a thread. */
export interface StepOrder extends RunOrder {
  step: AgentStep;
  isAlone: boolean;
  /** Tools that only its order can describe; absent: none. */
  outside?: OutsideTools;
  /** How deep among agents that agents started: from 1, which is a task's own. */
  depth?: number;
  /** What the steps before it left to it; absent: nothing. */
  earlier?: EarlierSteps;
  /** What its trace hangs from; absent: the job. */
  parent?: Pick<Span, "spanId" | "traceparent">;
  /** Its run was begun by a process, or in a thread, that is gone: it goes on from its log. */
  past?: PastRun;
  /** Of a planner: judges a plan that it hands in. `stop` ends the run with the answer to it. */
  judgePlan?: (handedIn: HandedIn, stop: (failure: Failure) => void) => Promise<readonly string[]>;
}

/** A step that the coordinator has the sandbox do. */
export interface CommandOrder extends RunOrder {
  step: CommandStep;
}

/** What came of it. */
export interface FinishedRun {
  report: RunReport;
  /** What its model calls took; absent where there were none. */
  spent?: Spent;
  /** The model that answered it, where an endpoint did. */
  model?: string;
  /** Absent when the thread died, or the command was stopped: what it left is not trusted. */
  taken?: TakenTree;
  denials: readonly Omit<Denial, "task">[];
  /** Repository paths that somebody was asked about and let be edited. */
  approved?: readonly string[];
  hasThreadDied: boolean;
  /** No other run was in that thread. */
  hasDiedAlone?: boolean;
  /** It could not go on from its log, and its step begins anew. */
  hasParted?: boolean;
  /** Of a command: exit 0, in its time; whatever it had no right to write is told elsewhere. */
  hasEndedWell?: boolean;
  /** The end of what a command printed, where that says why it failed. */
  tail?: string;
  /** Of a command that was allowed to fail, and did. */
  failed?: FailedCommand;
  /** The job's setup fails, and so would every other task. */
  endsJob?: SetupFailed;
}
