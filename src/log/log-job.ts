import type { Fact } from "../protocol/event.ts";
import type { Log, LogFields } from "./log.ts";

/** Tells a job's facts to the operator's log, as they are stored. It knows nothing that is not in the job's own log. */
export function logJob(log: Log): (job: { id: string; traceId: string }, runId: string, fact: Fact) => void {
  return (job, runId, fact) => {
    const line = lineOf(fact);
    if (line) log[line.level](line.message, { job: job.id, trace_id: job.traceId, run: runId, ...line.fields });
  };
}

interface Line {
  level: "debug" | "info" | "warn";
  message: string;
  fields: LogFields;
}

/** undefined for what only the job's own log needs. */
function lineOf(fact: Fact): Line | undefined {
  const line = (message: string, fields: LogFields, level: Line["level"] = "info") => ({ level, message, fields });
  switch (fact.type) {
    case "job.created": {
      const { handle, spec } = fact.data;
      return line("job created", { handle, base: spec.base.commit, repository: spec.base.repository });
    }
    case "job.planned":
      return line("job planned", { tasks: fact.data.tasks.length, left_out: fact.data.unsplit.length });
    case "task.started":
      return line("task started", { task: fact.data.task_id, attempt: fact.data.attempt }, "debug");
    case "task.finished": {
      const { task_id: task, state, failure } = fact.data;
      const why = failure && { code: failure.code, reason: failure.message };
      return line("task finished", { task, state, ...why }, failure ? "warn" : "info");
    }
    case "tool.denied":
      return line("tool denied", { tool: fact.data.tool, input: fact.data.input, rule: fact.data.rule }, "warn");
    case "approval.requested": {
      const { approval_id: approval, tool, input, rule, expires_at } = fact.data;
      return line("approval requested", { approval, tool, input, rule, expires_at });
    }
    case "approval.resolved": {
      const { approval_id: approval, state, decided_by, remember } = fact.data;
      return line("approval resolved", { approval, state, decided_by, remember });
    }
    case "check.finished": {
      const { name: check, exit, signal, timed_out, duration_ms } = fact.data;
      return line("check finished", { check, exit, signal, timed_out, duration_ms: Math.round(duration_ms) });
    }
    case "publish.finished": {
      const { kind, target, failure } = fact.data;
      return line("published", { kind, target, reason: failure?.message }, failure ? "warn" : "info");
    }
    case "job.finished":
      return line("job finished", { outcome: fact.data.outcome, exit_code: fact.data.exit_code });
    default:
      return undefined;
  }
}
