import { join } from "node:path";
import { storeArtifact } from "../db/store-artifact.ts";
import { Fault } from "../protocol/failure.ts";
import { newUuid } from "../protocol/ids.ts";
import type { Check } from "../protocol/job.ts";
import type { CheckResult } from "../protocol/result.ts";
import { attribute, checkSpan } from "../telemetry/semconv.ts";
import { type CheckView, runChecks } from "../verify/run-checks.ts";
import { createCheckout } from "../workspace/checkout.ts";
import type { Equipment } from "./equipment.ts";
import type { Job } from "./job.ts";

/** Runs the job's checks on a tree. Where nothing changed, a check about new failures has nothing to say: skipped. */
export async function checkTree(
  tree: string,
  { hasChanged }: { hasChanged: boolean },
  around: { job: Job; equipment: Equipment },
): Promise<CheckResult[]> {
  const { spec } = around.job;
  const commands = spec.checks.flatMap((check) => (check.kind === "command" ? [check] : []));
  const due = commands.filter((check) => hasChanged || check.expect === "pass");
  const results = due.length > 0 ? await runChecks(due, { after: tree, base: spec.base.tree }, viewOf(around)) : [];
  return commands.map((check) => results[due.indexOf(check)] ?? skipped(check, tree));
}

/** Throws Fault `sandbox_unavailable` when a job needs commands and nothing may run them. */
export function requireSandbox({ sandbox }: Equipment, what: string) {
  if (!("unavailable" in sandbox)) return sandbox;
  throw new Fault("sandbox_unavailable", `${what} needs a command, and ${sandbox.unavailable}`, {
    remedy: sandbox.remedy,
  });
}

function skipped(check: Check, tree: string): CheckResult {
  const detail = "nothing changed, so nothing new can have broken";
  return {
    name: check.name,
    at: tree,
    state: "skipped",
    duration_ms: 0,
    new_failures: null,
    base_failures: null,
    detail,
  };
}

function viewOf({ job, equipment }: { job: Job; equipment: Equipment }): CheckView {
  const { clock, home, database } = equipment;
  return {
    sandbox: requireSandbox(equipment, "a check"),
    checkout: (tree) => createCheckout(job.repository, { directory: join(home, "checkouts", newUuid(clock)), tree }),
    log: (facts) => job.log(facts),
    keep: (output) => storeArtifact(output, "text/plain", database),
    async traced(check, tree, run) {
      const attributes = { [attribute.tree]: tree };
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
    signal: job.signal,
  };
}
