import type { JobSpec } from "../protocol/job.ts";
import type { JobRequest } from "../protocol/job-request.ts";

/** What a job file does not say: that it ends with its plan, and which checks nobody asked for. */
export function asAsked(
  spec: JobSpec,
  { plan_only, found_checks = [] }: Pick<JobRequest, "plan_only" | "found_checks">,
): JobSpec {
  const checks = spec.checks.map((check) =>
    check.kind === "command" && found_checks.includes(check.run) ? { ...check, is_found: true } : check,
  );
  return { ...spec, checks, ...(plan_only ? { is_plan_only: true } : {}) };
}
