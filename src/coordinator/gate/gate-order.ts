import type { Spent } from "../../budget/job-budget.ts";
import type { AgentSpec } from "../../protocol/agent.ts";
import type { Endpoint } from "../../protocol/endpoint.ts";
import type { RunId } from "../../protocol/ids.ts";
import type { ModelCard } from "../../protocol/model-card.ts";
import type { Equipment } from "../equipment.ts";
import type { Job } from "../job.ts";

/** A model, and whose door it is behind. */
export interface AskedModel {
  card: ModelCard;
  endpoint: Endpoint;
}

/** Whose model calls a gate lets through. */
export interface GateOrder {
  run: { runId: RunId; epoch: number };
  taskId: string;
  agent: AgentSpec;
  /** Of an agent that thinks. */
  model: AskedModel | undefined;
  job: Job;
  equipment: Equipment;
  /** The run's idle limit does not run meanwhile. */
  during<T>(wait: () => Promise<T>): Promise<T>;
  /** Aborted when the run is over. */
  signal: AbortSignal;
  /** Of a run that goes on; absent: nothing was before. */
  before?: SpentBefore | undefined;
}

/** What a run had used before this process had it: the job's books hold it already. */
export interface SpentBefore {
  spent: Spent;
  /** Tokens of its last request, where its endpoint keeps a cache. */
  cached: number;
  /** What it was told of its budgets. */
  notices: ReadonlySet<string>;
}
