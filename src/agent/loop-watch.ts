import { hash } from "node:crypto";
import type { ToolResult, ToolUse } from "../protocol/message.ts";

/**
 * Notices an agent that goes round in circles: the same call with the same result, again and again, while nothing
 * changes. It tells; it does not judge what a call is good for.
 */
export interface LoopWatch {
  /** How often this call has had this result since something else changed. `hasChanged`: it changed a file. */
  saw(call: ToolUse, result: ToolResult, hasChanged: boolean): number;
  /** A command made the files others than they were: whatever it is, it goes on. */
  moved(): void;
}

/** From so many on the agent is told, and at so many its run ends. */
export const toldAt = 3;
export const endsAt = 6;

export function openLoopWatch(): LoopWatch {
  const seen = new Map<string, { result: string; count: number }>();
  return {
    saw({ name, input }, { content, is_error: isError }, hasChanged) {
      const key = hash("sha1", `${name}\n${JSON.stringify(input)}`);
      const result = hash("sha1", `${isError === true} ${content}`);
      const before = seen.get(key);
      const count = before?.result === result ? before.count + 1 : 1;
      if (hasChanged) seen.clear();
      seen.set(key, { result, count });
      return count;
    },
    moved: () => seen.clear(),
  };
}

export const noLoopWatch: LoopWatch = { saw: () => 1, moved: () => {} };
