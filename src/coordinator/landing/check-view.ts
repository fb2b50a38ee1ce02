import { storeArtifact } from "../../db/store-artifact.ts";
import { commandEnvironment } from "../../job/command-environment.ts";
import type { Task } from "../../protocol/task.ts";
import { attribute, checkSpan } from "../../telemetry/semconv.ts";
import type { CheckView } from "../../verify/run-checks.ts";
import { openCheckout } from "../commands/open-checkout.ts";
import { runInSandbox } from "../commands/run-in-sandbox.ts";
import type { Equipment } from "../equipment.ts";
import type { Job } from "../job.ts";
import { scanTree } from "../plan/scan-tree.ts";
import { pathCover } from "../tasks/path-cover.ts";

/**
 * What a check gets to see of the world. With `task` it is a check of that task's own tree, which looks at nothing that
 * is the business of other tasks.
 */
export function checkView({ job, equipment, task }: { job: Job; equipment: Equipment; task?: Task }): CheckView {
  const { clock, database } = equipment;
  return {
    run: ({ run, timeout_ms: timeoutMs, network, secrets }, { root: cwd, ...seen }) => {
      const env = commandEnvironment(task, job.spec.inputs);
      return runInSandbox({ what: "a check", run, cwd, timeoutMs, network, secrets, env, ...seen }, { job, equipment });
    },
    checkout: (tree) => openCheckout(tree, { job, equipment }),
    scan(tree, query, paths) {
      const isMeant = pathCover(paths ? [paths] : undefined, job.repository);
      const isOfTask = pathCover(task && [{ files: task.files }, ...task.writes], job.repository);
      const covers = (path: string) => isMeant(path) && isOfTask(path);
      return scanTree({ tree, query, covers }, { repository: job.repository, signal: job.signal, equipment });
    },
    log: (facts) => job.log(facts),
    keep: (output) => storeArtifact(output, "text/plain", database),
    async traced(check, tree, run) {
      const attributes = { [attribute.tree]: tree, ...(task ? { [attribute.taskId]: task.id } : {}) };
      const span = job.tracer.start(checkSpan(check.name), { parent: job.span, attributes });
      try {
        const seen = await run(span.traceparent);
        span.set({ [attribute.exitCode]: seen.exit ?? undefined, [attribute.durationMs]: seen.durationMs });
        span.end(
          seen.exit === 0 ? {} : { status: "error", message: seen.isTimedOut ? "timed out" : `exit ${seen.exit}` },
        );
        return seen;
      } finally {
        span.end({ status: "error", message: "stopped" });
      }
    },
    redact: equipment.redact,
    now: () => clock.now(),
    signal: job.signal,
    ...(task ? { task: task.id } : {}),
  };
}
