import type { Fact } from "../protocol/event.ts";
import type { TaskLine } from "./live-screen.ts";
import { oneLine } from "./words.ts";

/** What the facts of a run say of its task's progress. Nothing is counted that is not in the log. */
export function takeRunFact(task: TaskLine, fact: Fact): void {
  switch (fact.type) {
    case "turn.started":
      task.turn = fact.data.turn;
      break;
    case "turn.retried":
      task.waiting = `${fact.data.reason}, attempt ${fact.data.attempt}`;
      break;
    case "turn.finished": {
      const { usage, cost_nano_usd: cost = 0 } = fact.data;
      task.tokens += usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens + usage.output_tokens;
      task.nanoUsd = cost === null || task.nanoUsd === null ? null : task.nanoUsd + cost;
      delete task.waiting;
      break;
    }
    case "turn.failed":
    case "approval.resolved":
      delete task.waiting;
      break;
    case "approval.requested":
      task.waiting = "asks somebody";
      break;
    default:
  }
}

/** For the line of a task that runs: nothing for one that takes no tokens. */
export function spentText({ tokens, nanoUsd, waiting }: TaskLine): string {
  const cost = nanoUsd === null ? "cost unknown" : `$${(nanoUsd / 1e9).toFixed(2)}`;
  const spent = tokens === 0 ? "" : `  ${tokens < 1_000 ? tokens : `${Math.round(tokens / 1_000)}k`} tokens  ${cost}`;
  return `${spent}${waiting === undefined ? "" : `  waits: ${oneLine(waiting, 60)}`}`;
}
