import type { Database } from "../../db/database.ts";
import { eventPage, readJobEvents, readRunEvents } from "../../db/read-events.ts";
import type { Event } from "../../protocol/event.ts";
import type { JobId, RunId } from "../../protocol/ids.ts";

/** All facts of all runs of a job but the first `known`, in the order in which they were committed. */
export async function eventsOf(id: JobId, database: Database, known = 0): Promise<Event[]> {
  const all: Event[] = [];
  for (let after = known; ; ) {
    const page = await readJobEvents(id, after, database);
    all.push(...page.map(({ event }) => event));
    if (page.length < eventPage) return all;
    after = page.at(-1)?.pos ?? after;
  }
}

/** The log of a run but its first `known` facts. */
export async function eventsOfRun(id: RunId, database: Database, known = 0): Promise<Event[]> {
  const all: Event[] = [];
  for (;;) {
    const page = await readRunEvents(id, all.at(-1)?.seq ?? known, database);
    all.push(...page);
    if (page.length < eventPage) return all;
  }
}
