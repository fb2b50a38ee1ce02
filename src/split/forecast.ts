import { type ModelSpec, modelName } from "../protocol/agent.ts";
import type { TokenPrice } from "../protocol/model-card.ts";
import type { Forecast } from "../protocol/plan.ts";
import type { Task } from "../protocol/task.ts";

/**
 * What a job will take, guessed and said to be a guess. Pure. What earlier jobs of the same name took counts before the
 * figures below, which stand for an agent that reads some files, edits a few and runs its tests.
 */
export interface ForecastGround {
  tasks: readonly Pick<Task, "steps">[];
  /** Finished jobs of the same name, newest first. */
  earlier: readonly EarlierJob[];
  /** Undefined where nobody knows what a model costs. */
  priceOf(model: ModelSpec): TokenPrice | undefined;
}

export interface EarlierJob {
  handle: string;
  tasks: number;
  inputTokens: number;
  outputTokens: number;
  /** null where it is not known. */
  nanoUsd: number | null;
}

/** Turns of a task; tokens of a turn; how much of what is read comes from the cache after the first turn. */
const usual = { turns: 12, inputTokens: 15_000, outputTokens: 600, cachedShare: 0.9 };

export function forecastOf({ tasks, earlier, priceOf }: ForecastGround): Forecast {
  const thinking = tasks.flatMap(({ steps }) =>
    steps.flatMap((step) => (step.kind === "agent" ? [step.agent.model] : [])),
  );
  const paid = thinking.filter(({ provider }) => provider === "messages");
  const turns = paid.length * usual.turns;
  const known = paid.length > 0 ? perTask(earlier) : undefined;
  if (known) return { tasks: tasks.length, turns, ...fromEarlier(known, paid.length) };
  return {
    tasks: tasks.length,
    turns,
    input_tokens: turns * usual.inputTokens,
    output_tokens: turns * usual.outputTokens,
    nano_usd: costOf(paid, priceOf),
    basis: basisOf(paid, priceOf),
  };
}

interface PerTask extends Pick<EarlierJob, "inputTokens" | "outputTokens" | "nanoUsd"> {
  handles: string[];
}

/** Earlier jobs that took no tokens say nothing. */
function perTask(earlier: readonly EarlierJob[]): PerTask | undefined {
  const used = earlier.filter((job) => job.tasks > 0 && job.inputTokens + job.outputTokens > 0);
  if (used.length === 0) return undefined;
  const tasks = used.reduce((sum, job) => sum + job.tasks, 0);
  const mean = (pick: (job: EarlierJob) => number) => used.reduce((sum, job) => sum + pick(job), 0) / tasks;
  return {
    inputTokens: mean((job) => job.inputTokens),
    outputTokens: mean((job) => job.outputTokens),
    nanoUsd: used.some((job) => job.nanoUsd === null) ? null : mean((job) => job.nanoUsd ?? 0),
    handles: used.map(({ handle }) => handle),
  };
}

function fromEarlier({ inputTokens, outputTokens, nanoUsd, handles }: PerTask, count: number) {
  return {
    input_tokens: Math.round(inputTokens * count),
    output_tokens: Math.round(outputTokens * count),
    nano_usd: nanoUsd === null ? null : Math.round(nanoUsd * count),
    basis: `what a task of ${handles.slice(0, 3).join(", ")}${handles.length > 3 ? ", ..." : ""} took on average`,
  };
}

/** null as soon as one of the models has no price. */
function costOf(models: readonly ModelSpec[], priceOf: ForecastGround["priceOf"]): number | null {
  let sum = 0;
  for (const model of models) {
    const price = priceOf(model);
    if (!price) return null;
    const read = usual.cachedShare * price.cache_read + (1 - usual.cachedShare) * price.input;
    sum += usual.turns * (usual.inputTokens * read + usual.outputTokens * price.output);
  }
  return Math.round(sum);
}

function basisOf(models: readonly ModelSpec[], priceOf: ForecastGround["priceOf"]): string {
  if (models.length === 0) return "no agent of it asks a model that takes tokens";
  const { turns, inputTokens, outputTokens } = usual;
  const unknown = [...new Set(models.filter((model) => !priceOf(model)).map(modelName))];
  const price = unknown.length > 0 ? `; nobody knows what ${unknown.join(", ")} costs` : "";
  return `no job of this name before: ${turns} turns a task, ${inputTokens} tokens in and ${outputTokens} out a turn${price}`;
}
