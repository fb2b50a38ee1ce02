import { z } from "zod";
import { jobId, runId, taskId } from "./ids.ts";

/** A question that a scope's `ask` leads to: about one call with exactly this input, under this rule, until it expires. */
export const approvalState = z.enum(["pending", "allowed", "denied", "expired", "withdrawn"]);
export type ApprovalState = z.infer<typeof approvalState>;

/** What is asked, in the log and to people. */
export const approvalQuestion = {
  tool: z.string(),
  /** The command, or the path, in full up to 16,000 characters. */
  input: z.string(),
  /** Of the call's exact input as canonical JSON; what is allowed is that, and nothing that came after it. */
  input_sha256: z.string(),
  rule: z.string(),
  source: z.string(),
  reason: z.string(),
  /** The rule that would have allowed it without a question: `Bash(npm install)`. */
  suggestion: z.string().optional(),
  expires_at: z.iso.datetime(),
};

/** What was answered, and by whom. */
export const approvalDecision = {
  /** The answer holds for the rest of the job. */
  remember: z.boolean(),
  decided_by: z.string().optional(),
  note: z.string().optional(),
};

export const approvalView = z.object({
  id: z.uuid(),
  job_id: jobId,
  run_id: runId,
  task_id: taskId,
  ...approvalQuestion,
  state: approvalState,
  ...approvalDecision,
  created_at: z.iso.datetime(),
  decided_at: z.iso.datetime().optional(),
});
export type ApprovalView = z.infer<typeof approvalView>;

/** What somebody answers. The first answer counts. */
export const approvalAnswer = z.strictObject({
  decision: z.enum(["allow", "deny"]),
  remember: z.boolean().optional(),
  note: z.string().max(1_000).optional(),
});
export type ApprovalAnswer = z.infer<typeof approvalAnswer>;
