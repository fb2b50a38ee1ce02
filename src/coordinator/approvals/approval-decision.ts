import type { StoredApproval } from "../../db/find-approval.ts";
import type { Fact } from "../../protocol/event.ts";
import type { Decision } from "../../protocol/scope.ts";
import type { Redactor } from "../../telemetry/redact.ts";
import type { Job } from "../job.ts";
import type { Question } from "./ask-approval.ts";

/** What an answer, or the lack of one, means for the call it was asked about. Pure; what is not an allowance denies. */
export function decisionOf(approval: StoredApproval, question: Question): Decision {
  const { state, note } = approval;
  const who = approval.decidedBy ?? "somebody";
  switch (state) {
    case "allowed":
      return allowedBy(approval, `${who} allowed it`);
    case "denied":
      return denied(question, `${who} denied it${note ? `: ${note}` : ""}`);
    case "expired":
      return denied(question, `nobody answered the question in time; ${toAllow(question)}`);
    case "withdrawn":
    case "pending":
      return denied(question, "the question was withdrawn before anybody answered it");
  }
}

/** The same for an answer that holds for the rest of the job. */
export function recalled(approval: StoredApproval, question: Question): Decision {
  const who = approval.decidedBy ?? "somebody";
  if (approval.state === "allowed") return allowedBy(approval, `${who} allowed it for this job`);
  return denied(question, `${who} denied it for this job${approval.note ? `: ${approval.note}` : ""}`);
}

/** Most characters of an input that people are shown. Nobody can answer for what they cannot see. */
const mostShown = 16_000;

/** Why nobody is asked; undefined where somebody is. */
export function unasked(
  question: Question,
  { spec, redact }: Pick<Job, "spec"> & { redact: Redactor },
): Decision | undefined {
  const { mode } = spec.permissions;
  if (mode === "deny" || mode === "plan") {
    return denied(question, `${question.decision.reason}; this job asks nobody; ${toAllow(question)}`);
  }
  if (question.input.length > mostShown) {
    return denied(question, `a question about it could not be shown in full: it has over ${mostShown} characters`);
  }
  return isHidden(question, redact) ? denied(question, hidden) : undefined;
}

const hidden = "a question about it could not be shown in full: it holds what looks like a secret";

/** Whoever chooses the words of a call chooses what of it is taken for a secret, and so could hide the rest. */
function isHidden({ input, suggestion }: Question, redact: Redactor): boolean {
  return [input, suggestion].some((text) => text !== undefined && redact(text) !== text);
}

function toAllow({ suggestion, decision: { rule } }: Question): string {
  if (rule !== "no rule") return `to allow it without a question, take ${rule} out of the ask rules`;
  if (suggestion === undefined) return "no single rule would allow it";
  return `to allow it without a question, add ${suggestion} to permissions.allow`;
}

function allowedBy({ id }: StoredApproval, reason: string): Decision {
  return { effect: "allow", rule: `approval ${id}`, source: "approval", reason };
}

function denied({ decision }: Question, reason: string): Decision {
  return { effect: "deny", rule: decision.rule, source: decision.source, reason };
}

/** How the question ended, for the log. */
export function resolvedFact(approval: StoredApproval): Fact {
  const { id, callId, state, remember, decidedBy, note } = approval;
  const data = {
    approval_id: id,
    call_id: callId,
    // Whoever settles a question leaves it in another state than this.
    state: state === "pending" ? ("withdrawn" as const) : state,
    remember,
    ...(decidedBy === null ? {} : { decided_by: decidedBy }),
    ...(note === null ? {} : { note }),
  };
  return { type: "approval.resolved", data };
}
