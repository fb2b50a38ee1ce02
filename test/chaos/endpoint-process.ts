import type { Behave } from "../support/messages/reply.ts";
import { openMessagesServer } from "../support/messages-server.ts";
import { chatter, turnKey } from "./chatter.ts";

/**
 * The models' endpoint as a process of its own, which nobody kills: what it was asked is the truth that a log is held
 * against. `node endpoint-process.ts` over a channel: a message is a `Wanted`, each gets an answer.
 */
export type Wanted = { kind: "begin"; seed: string; slower: number } | { kind: "tell" };

/** One request that came, in the order in which they came. */
export interface Asking {
  /** `part-3 2`: the second turn of that task. */
  key: string;
  at: number;
}

/** One answer that was sent whole, so far as a server knows. */
export interface Answered {
  key: string;
  usage: { input: number; output: number; cacheRead: number; cacheWrite: number };
}

export interface Told {
  asked: Asking[];
  answered: Answered[];
  refused: string[];
  open: number;
}

let behave: Behave = chatter("");
let asked: Asking[] = [];
const server = await openMessagesServer({
  behave(asking) {
    const key = turnKey(asking) ?? "?";
    asked.push({ key, at: Date.now() });
    return behave(asking);
  },
});
let ignored = 0;
process.on("message", (wanted: Wanted) => {
  if (wanted.kind === "begin") {
    behave = chatter(wanted.seed, { slower: wanted.slower });
    asked = [];
    ignored = server.logged.length;
  }
  process.send?.(told());
});
process.on("disconnect", () => process.exit());
process.send?.({ url: server.url, key: server.key });

function told(): Told {
  const logged = server.logged.slice(ignored);
  return {
    asked,
    answered: logged.flatMap((one) =>
      one.end === "refused"
        ? []
        : [
            {
              key: turnKey(one) ?? "?",
              usage: {
                input: one.usage.input_tokens,
                output: one.usage.output_tokens,
                cacheRead: one.usage.cache_read_input_tokens,
                cacheWrite: one.usage.cache_creation_input_tokens,
              },
            },
          ],
    ),
    refused: logged.flatMap(({ end, status, error }) => (end === "refused" ? [`${status} ${error}`] : [])),
    open: server.open,
  };
}
