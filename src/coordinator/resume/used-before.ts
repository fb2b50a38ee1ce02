import type { Event } from "../../protocol/event.ts";

/**
 * What a job has had of its time, by its log, in milliseconds. While nobody worked on it, or it was paused, no time passes
 * for it, however often that was: a gap before `job.resumed` counts nothing, and one in which it was told to go on counts
 * from there. Pure.
 */
export function usedBefore(events: readonly Event[], resumed: readonly number[]): number {
  return events.reduce((used, event, place) => {
    const before = events[place - 1];
    return before ? used + Math.max(0, event.at - goneOnAt(before, event, resumed)) : used;
  }, 0);
}

function goneOnAt(before: Event, event: Event, resumed: readonly number[]): number {
  if (event.type === "job.resumed") return event.at;
  return Math.max(before.at, ...resumed.filter((at) => at > before.at && at <= event.at));
}
