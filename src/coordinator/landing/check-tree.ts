import type { CheckResult } from "../../protocol/result.ts";
import { runChecks } from "../../verify/run-checks.ts";
import type { Equipment } from "../equipment.ts";
import type { Job } from "../job.ts";
import { checkView } from "./check-view.ts";

/** Runs the job's checks of a whole tree, compared with `base`, a tree too: the job's own unless another is named. */
export function checkTree(
  tree: string,
  around: { job: Job; equipment: Equipment },
  base = around.job.spec.base.tree,
): Promise<CheckResult[]> {
  const due = around.job.spec.checks.filter((check) => check.at === "tree");
  return runChecks(due, { after: tree, base }, checkView(around));
}
