import { setTimeout as wait } from "node:timers/promises";
import type { Dice } from "./dice.ts";
import { type NodeUnderTest, startNode } from "./node-under-test.ts";
import { serveNode } from "./served-node.ts";
import type { Place } from "./stage.ts";
import { watchJob } from "./watch-job.ts";

/**
 * One process at work on the job, until it is killed or the job has ended: `sheaf run` on the embedded database, which is
 * started again as a user would, and `sheaf serve` on PostgreSQL, which is handed the same request again.
 */
export interface Round {
  /** False where the job came to its end before. */
  killAt(when: Instant): Promise<boolean>;
  /** Its exit code once the job has ended; null where that took too long. */
  finish(withinMs: number): Promise<number | null>;
  /** The end of what it told on stderr. */
  told(): string;
}

export type Instant = { afterMs: number } | { afterFacts: number; plusMs: number };

/** A few by time, which finds the start as well; most by how far the work is. */
export function instant(dice: Dice, { ms, facts }: { ms: number; facts: number }): Instant {
  if (dice.next() < 0.15) return { afterMs: dice.whole(0, Math.round(ms)) };
  return { afterFacts: dice.whole(1, facts - 1), plusMs: dice.whole(0, 30) };
}

export function sayInstant(when: Instant): string {
  return "afterMs" in when ? `${when.afterMs} ms` : `fact ${when.afterFacts} and ${when.plusMs} ms`;
}

export function beginRound(place: Place): Promise<Round> {
  const { databaseUrl } = place;
  return databaseUrl === undefined ? Promise.resolve(runRound(place)) : servedRound(place, databaseUrl);
}

export function startRun(place: Place): NodeUnderTest {
  const words = ["run", place.job, "--repo", place.repository, "--output-format", "stream-json"];
  return startNode([...words, "--idempotency-key", "chaos"], { cwd: place.folder, env: place.env });
}

function runRound(place: Place): Round {
  const node = startRun(place);
  let hasEnded = false;
  const ended = node.ended.then(() => {
    hasEnded = true;
  });
  return {
    async killAt(when) {
      if ("afterFacts" in when) await node.told(when.afterFacts);
      await Promise.race([ended, wait("afterMs" in when ? when.afterMs : when.plusMs)]);
      if (hasEnded) return false;
      node.kill();
      // It may have been leaving at that very moment.
      return (await node.ended) === null;
    },
    async finish(withinMs) {
      const timer = setTimeout(() => node.kill(), withinMs);
      const code = await node.ended;
      clearTimeout(timer);
      return code;
    },
    told: () => node.stderr.slice(-mostTold),
  };
}

const mostTold = 1_500;
const longestMs = 300_000;

async function servedRound(place: Place, databaseUrl: string): Promise<Round> {
  const node = await serveNode(place, { home: place.home, databaseUrl });
  await node.submit();
  const isOver = ({ state }: { state: string }) => state === "finished";
  return {
    async killAt(when) {
      await using watch = watchJob(databaseUrl);
      if ("afterFacts" in when) {
        await watch.until((seen) => isOver(seen) || seen.head >= when.afterFacts, longestMs);
      }
      await wait("afterMs" in when ? when.afterMs : when.plusMs);
      node.kill();
      await node.ended;
      const seen = await watch.look();
      return !seen || !isOver(seen);
    },
    async finish(withinMs) {
      await using watch = watchJob(databaseUrl);
      const isDone = await watch.until(isOver, withinMs);
      node.signal(isDone ? "SIGTERM" : "SIGKILL");
      return node.ended;
    },
    told: () => node.stderr.slice(-mostTold),
  };
}
