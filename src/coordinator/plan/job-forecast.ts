import { listJobs, type StoredJob } from "../../db/find-job.ts";
import type { ModelSpec } from "../../protocol/agent.ts";
import type { TokenPrice } from "../../protocol/model-card.ts";
import type { Forecast } from "../../protocol/plan.ts";
import { result } from "../../protocol/result.ts";
import type { Task } from "../../protocol/task.ts";
import { type EarlierJob, forecastOf } from "../../split/forecast.ts";
import type { Equipment } from "../equipment.ts";
import type { Job } from "../job.ts";

/** Most earlier jobs that a forecast stands on, and most that are looked at for them. */
const mostEarlier = 5;
const mostLookedAt = 50;

/** What the job is thought to take, from what jobs of its name took before in this repository. */
export async function jobForecast(tasks: readonly Task[], job: Job, equipment: Equipment): Promise<Forecast> {
  const named = await listJobs({ limit: mostLookedAt, state: "finished", name: job.spec.name }, equipment.database);
  const before = named.filter(({ repository }) => repository === job.spec.base.repository).slice(0, mostEarlier);
  return forecastOf({ tasks, earlier: before.flatMap(earlierJob), priceOf: (model) => priceOf(model, equipment) });
}

/** What it costs now, by the operator's settings and the cards. */
function priceOf(model: ModelSpec, { models }: Pick<Equipment, "models">): TokenPrice | undefined {
  const found = models.of(model);
  return found && "card" in found ? found.card.price : undefined;
}

/** A result that another version wrote may be of another shape: it is passed over. */
function earlierJob({ handle, result: stored }: StoredJob): EarlierJob[] {
  const read = result.pick({ tasks: true, usage: true }).safeParse(stored);
  if (!read.success) return [];
  const { usage, tasks } = read.data;
  const inputTokens = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens;
  const nanoUsd = usage.cost_known ? Math.round(usage.cost_usd * 1e9) : null;
  return [{ handle, tasks: tasks.length, inputTokens, outputTokens: usage.output_tokens, nanoUsd }];
}
