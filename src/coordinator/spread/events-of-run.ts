import type { Database } from "../../db/database.ts";
import { eventPage, readRunEvents } from "../../db/read-events.ts";
import type { Event } from "../../protocol/event.ts";
import type { RunId } from "../../protocol/ids.ts";

/** The whole log of a run. */
export async function eventsOfRun(id: RunId, database: Database): Promise<Event[]> {
  const all: Event[] = [];
  for (;;) {
    const page = await readRunEvents(id, all.at(-1)?.seq ?? 0, database);
    all.push(...page);
    if (page.length < eventPage) return all;
  }
}
