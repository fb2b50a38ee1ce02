import type { Failure } from "../../protocol/failure.ts";
import type { CallIntent, Queue } from "./queue-call.ts";

/**
 * A call that waits for its budget or its rate for long says so in its run's log, and once more before it goes: whoever goes
 * on with the run counts no call in full that never went. One that hardly waits says neither, so that most cost no write.
 */
export async function tellingWait(
  { data: { turn } }: CallIntent,
  { order: { job, run, equipment }, spanId }: Pick<Queue, "order" | "spanId">,
  wait: () => Promise<Failure | undefined>,
): Promise<Failure | undefined> {
  const tell = (type: "turn.waiting" | "turn.sent") => job.logRun(run, [{ type, data: { turn } }], spanId);
  let telling: Promise<void> | undefined;
  const prevent = equipment.spending.later(longMs, () => {
    telling = tell("turn.waiting");
    telling.catch(() => {});
  });
  try {
    const failure = await wait();
    prevent();
    await telling;
    if (telling && !failure) await tell("turn.sent");
    return failure;
  } finally {
    prevent();
    // Nothing of it comes after the run's end. Thrown above, unless the wait came to nothing: that says more.
    await telling?.catch(() => {});
  }
}

/** What is parked for less when its process goes counts in full. */
const longMs = 1_000;
