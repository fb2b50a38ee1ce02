import type { Check } from "../../protocol/check.ts";
import type { CheckResult, Reason } from "../../protocol/result.ts";
import { runChecks } from "../../verify/run-checks.ts";
import type { Around } from "../commands/setup.ts";
import { SetupFailed } from "../commands/setup-failed.ts";
import { JobStopped } from "../job.ts";
import type { FinishedTask } from "../result/finished-task.ts";
import { checkView } from "./check-view.ts";

/**
 * The checks `at: task`, on the tree of a task that has delivered, compared with what the task started from. Red, and
 * it has not delivered; its commit stays. A task that found nothing to do is asked what does not depend on a change.
 */
export async function checkTask(task: FinishedTask, around: Around): Promise<FinishedTask> {
  const all = [...around.job.spec.checks.filter((check) => check.at === "task"), ...(task.own_checks ?? [])];
  const due = all.filter((check) => task.tree !== undefined || isAboutTree(check));
  if (due.length === 0) return task;
  const trees = { after: task.tree ?? task.start.tree, base: task.start.tree };
  try {
    const checks = await runChecks(due, trees, checkView({ ...around, task }));
    const red = checks.find((check) => check.state === "failed");
    return red ? { ...task, checks, state: "failed", failure: failureOf(red) } : { ...task, checks };
  } catch (thrown) {
    const { signal } = around.job;
    if (signal.aborted && signal.reason instanceof JobStopped) {
      const { outcome: state, failure } = signal.reason;
      return { ...task, state, failure };
    }
    if (!(thrown instanceof SetupFailed)) throw thrown;
    return { ...task, state: "failed", failure: thrown.reason, ...(thrown.isAtBase ? { endsJob: thrown } : {}) };
  }
}

/** Says something of a tree in which nothing changed, too. */
function isAboutTree(check: Check): boolean {
  return check.kind === "absent" || check.expect === "pass";
}

function failureOf({ name, detail, tail }: CheckResult): Reason {
  const message = `check ${JSON.stringify(name)}: ${detail ?? "failed"}`;
  return { code: "check_failed", message, check: name, ...(tail ? { log: tail } : {}) };
}
