import type { JobSpec } from "../protocol/job.ts";
import type { JobRequest } from "../protocol/job-request.ts";

/** What a job file does not say: that it ends with its plan, what of it is done again, and which checks nobody asked for. */
export function asAsked(
  spec: JobSpec,
  { plan_only, fresh, found_checks = [] }: Pick<JobRequest, "plan_only" | "found_checks" | "fresh">,
): JobSpec {
  const checks = spec.checks.map((check) =>
    check.kind === "command" && found_checks.includes(check.run) ? { ...check, is_found: true } : check,
  );
  return { ...spec, checks, ...(plan_only ? { is_plan_only: true } : {}), ...(fresh ? { fresh } : {}) };
}
