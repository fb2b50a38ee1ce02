import type { Check, CommandCheck } from "../../protocol/check.ts";
import type { BaseCheck } from "../../protocol/plan.ts";
import type { Observation } from "../../verify/judge-check.ts";
import { observeChecks } from "../../verify/run-checks.ts";
import { endingOf, sightOf } from "../../verify/sight.ts";
import type { Equipment } from "../equipment.ts";
import type { Job } from "../job.ts";
import { checkView } from "../landing/check-view.ts";

/**
 * How the job's checks do at its base, seen before anybody plans. A check that was only found there and cannot be run, or
 * does not end, says nothing about any tree: the job goes on without it. One that somebody asked for stays, whatever it does.
 */
export async function lookAtChecks(job: Job, equipment: Equipment): Promise<BaseCheck[]> {
  const commands = job.spec.checks.filter((check) => check.kind === "command");
  if (commands.length === 0) return [];
  const seen = await observeChecks(commands, job.spec.base.tree, checkView({ job, equipment }));
  const states = commands.flatMap((check, index) => (seen[index] ? [stateOf(check, seen[index])] : []));
  const leftOut = new Set(states.filter(({ is_left_out }) => is_left_out).map(({ name }) => name));
  const isKept = (check: Check) => check.kind !== "command" || !check.is_found || !leftOut.has(check.name);
  job.spec = { ...job.spec, checks: job.spec.checks.filter(isKept) };
  return states;
}

function stateOf({ name, run, is_found }: CommandCheck, seen: Observation): BaseCheck {
  const sight = sightOf(seen);
  const { exit, durationMs } = seen;
  const known = { name, run, exit, duration_ms: Math.round(durationMs) };
  if (sight.kind === "green") return { ...known, state: "green" };
  if (!cannotRun(seen)) return { ...known, state: "red", detail: sight.kind === "red" ? sight.words : sight.why };
  return { ...known, state: "unrunnable", detail: endingOf(seen), ...(is_found ? { is_left_out: true } : {}) };
}

/** 126 and 127: what a shell answers where there is no such program, or it cannot be started. */
function cannotRun({ exit, signal, isTimedOut }: Observation): boolean {
  return isTimedOut || signal !== null || exit === 126 || exit === 127;
}
