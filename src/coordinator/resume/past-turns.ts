import type { Event, FactData } from "../../protocol/event.ts";
import { type PastTurn, pastTurn } from "../../protocol/past-turn.ts";

/** The turns that the log of a run holds, in order; the last one may have no answer. Pure. */
export function pastTurns(events: readonly Event[]): PastTurn[] {
  const turns: Draft[] = [];
  for (const event of events) {
    if (event.type === "turn.started") turns.push({ turn: event.data.turn, intents: [event], has_failed: false });
    const open = turns.at(-1);
    if (open) take(open, event);
  }
  return turns.map((turn) => pastTurn.parse(turn));
}

interface Draft {
  turn: number;
  intents: Event[];
  answer?: FactData<"turn.finished">;
  has_failed: boolean;
}

function take(open: Draft, event: Event): void {
  switch (event.type) {
    case "turn.retried":
      open.intents.push(event);
      open.has_failed = false;
      return;
    case "turn.finished":
      open.answer = event.data;
      return;
    // One that still waits has cost nothing either.
    case "turn.failed":
    case "turn.waiting":
      open.has_failed = true;
      return;
    case "turn.sent":
      open.has_failed = false;
      return;
    default:
      return;
  }
}
