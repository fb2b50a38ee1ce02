import type { AgentSpec, RunLimits } from "../protocol/agent.ts";
import type { JobSpec } from "../protocol/job.ts";
import type { WrittenAgentLimits, WrittenLimits } from "../protocol/job-file-limits.ts";

/** Limits of docs/job-file.md: the whole job, a run that does nothing, and what models may cost where nobody says. */
const defaultTimeMs = 45 * 60_000;
const defaultIdleMs = 5 * 60_000;
const defaultUsd = 5;

/** `agents`: all whose models the job may ask. Recipes, scripts and recordings cost nothing. */
export function limitsOf(written: WrittenLimits | undefined, agents: readonly AgentSpec[]): JobSpec["limits"] {
  const { concurrency, time = defaultTimeMs, idle = defaultIdleMs, usd, tokens, turns, depth, task } = written ?? {};
  const isPaid = agents.some(({ model }) => model.provider === "messages");
  return {
    time_ms: time,
    idle_ms: idle,
    ...defined({ concurrency, tokens, turns, depth, agents: written?.agents }),
    ...(usd === undefined ? {} : { nano_usd: nanoUsd(usd) }),
    ...(usd === undefined && isPaid ? { nano_usd: nanoUsd(defaultUsd), is_default_usd: true } : {}),
    ...(task === undefined ? {} : { task: moneyAndTokens(task) }),
  };
}

/**
 * Of one run of an agent. Its file comes out of the repository and narrows only: where both say how many turns, the
 * smaller number holds, and the job's own number (`jobTurns`) holds against the file's.
 */
export function runLimitsOf(
  written: WrittenAgentLimits | undefined,
  { fileTurns, jobTurns }: { fileTurns: number | undefined; jobTurns: number | undefined },
): RunLimits | undefined {
  const asked = fileTurns === undefined ? undefined : Math.min(fileTurns, written?.turns ?? jobTurns ?? fileTurns);
  const turns = asked ?? written?.turns;
  if (written === undefined && turns === undefined) return undefined;
  return { ...moneyAndTokens(written ?? {}), ...defined({ turns, time_ms: written?.time }) };
}

function moneyAndTokens({ usd, tokens }: { usd?: number | undefined; tokens?: number | undefined }) {
  return { ...(usd === undefined ? {} : { nano_usd: nanoUsd(usd) }), ...defined({ tokens }) };
}

function nanoUsd(usd: number): number {
  return Math.round(usd * 1_000_000_000);
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function defined<T extends object>(given: T): Defined<T> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Defined<T>;
}
