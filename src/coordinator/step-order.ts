import type { AgentStep } from "../protocol/job.ts";
import type { Denial } from "../protocol/result.ts";
import type { Scope } from "../protocol/scope.ts";
import type { Task } from "../protocol/task.ts";
import type { RunReport } from "../protocol/thread.ts";
import type { TakenTree } from "../workspace/workspace.ts";

/** What a run is asked for. */
export interface StepOrder {
  task: Task;
  step: AgentStep;
  /** Place of the step in its task, from 0. */
  ordinal: number;
  /** From 1. */
  attempt: number;
  /** The tree it starts from. */
  tree: string;
  scope: Scope;
  isAlone: boolean;
}

/** What came of it. */
export interface FinishedRun {
  report: RunReport;
  /** Absent when the thread died: what it left is not trusted. */
  taken?: TakenTree;
  denials: readonly Omit<Denial, "task">[];
  hasThreadDied: boolean;
}
