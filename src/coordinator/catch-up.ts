import type { Database } from "../db/database.ts";
import { canonicalJson } from "../protocol/canonical-json.ts";
import type { Fact } from "../protocol/event.ts";
import type { JobId } from "../protocol/ids.ts";
import { eventsOf } from "./resume/events-of.ts";

export type Hear = (runId: string, fact: Fact) => void;

/**
 * Lets somebody hear of a job that runs already as if they had been there from its beginning: what is in the log first,
 * then what comes, each fact once and in its order.
 */
export async function catchUp(id: JobId, hear: Hear, hearers: Hear[], database: Database): Promise<void> {
  const meanwhile: [string, Fact][] = [];
  const gather: Hear = (runId, fact) => void meanwhile.push([runId, fact]);
  hearers.push(gather);
  const before = await eventsOf(id, database).catch((thrown: unknown) => {
    hearers.splice(hearers.indexOf(gather), 1);
    throw thrown;
  });
  const told = new Set<string>();
  for (const event of before) {
    const fact = { type: event.type, data: event.data } as Fact;
    told.add(keyOf(event.run_id, fact));
    hear(event.run_id, fact);
  }
  for (const [runId, fact] of meanwhile) if (!told.has(keyOf(runId, fact))) hear(runId, fact);
  hearers[hearers.indexOf(gather)] = hear;
}

function keyOf(runId: string, { type, data }: Fact): string {
  return `${runId} ${type} ${canonicalJson(data)}`;
}
