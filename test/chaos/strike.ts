import { setTimeout as wait } from "node:timers/promises";
import { turnsPerTask } from "./chatter.ts";
import { judge } from "./judge.ts";
import type { Place } from "./stage.ts";
import { readStore, type Store } from "./store.ts";
import type { TrialOrder } from "./undisturbed.ts";
import type { JobWatch } from "./watch-job.ts";

/** What befalls one of several nodes. */
export interface Strike {
  name: string;
  hit(): void;
  /** Makes it whole again; absent where it is gone for good. */
  revive?: (() => void) | undefined;
  /** Some process is gone for good: what it had on its disk is its own to clear away, when it comes again. */
  isKilling?: boolean;
  /** A call that was under way then may arrive when it comes back: it was frozen before it was sent, or its packets were. */
  delaysCalls?: boolean;
}

/** The job under it. */
export interface Struck {
  trial: TrialOrder;
  place: Place;
  databaseUrl: string;
  watch: JobWatch;
  /** The struck node has the job, and another one is to take it over. */
  isOwner: boolean;
  /** Processes that it takes from the job; default 1. */
  kills?: number;
  /** Of a later build, where the database was brought to them. */
  migrations?: string;
}

/** Leases of ten seconds; what was promised is a takeover within fifteen. */
const takeoverMs = 15_000;
const longestMs = 300_000;
/** For whatever the struck node does when it comes back. */
const afterwardsMs = 4_000;

/** Strikes, waits for the job's end on the other nodes, lets the struck one come back, and says what is not as promised. */
export async function strikeAndJudge(strike: Strike, struck: Struck): Promise<{ told: string; findings: string[] }> {
  const { trial, place, databaseUrl, kills = 1, migrations } = struck;
  strike.hit();
  const { told, findings } = await follow(strike, struck);
  const store = await readStore(place.home, databaseUrl, migrations);
  const revivedAt = Date.now();
  if (strike.revive) findings.push(...(await comeBack(strike.revive, { place, databaseUrl, store })));
  const evidence = { store, told: await trial.stage.endpoint.tell(), place, tree: trial.usual.tree, kills };
  const thawed = strike.delaysCalls ? { revivedAt } : {};
  const isLeft = (finding: string) => strike.isKilling === true && finding.includes(" was left");
  const wrong = judge({ ...evidence, ...thawed, turns: turnsPerTask }).filter((finding) => !isLeft(finding));
  return { told, findings: [...findings, ...wrong] };
}

async function follow({ name }: Strike, { watch, isOwner }: Struck): Promise<{ told: string; findings: string[] }> {
  const at = Date.now();
  const isOver = ({ state }: { state: string }) => state === "finished";
  const isTaken = await watch.until((seen) => isOver(seen) || (isOwner && seen.epoch > 1), longestMs);
  const ms = Date.now() - at;
  if (!isTaken)
    return { told: `${name}, and nobody went on`, findings: [`${name}: nobody brought the job to its end`] };
  const findings = isOwner && ms > takeoverMs ? [`it was taken over after ${ms} ms`] : [];
  if (!(await watch.until(isOver, longestMs))) findings.push("it did not end");
  return { told: `${name}, ${isOwner ? "taken over" : "ended"} after ${ms} ms`, findings };
}

/** What a stale node did: it should be nothing. */
async function comeBack(
  revive: () => void,
  { place, databaseUrl, store }: { place: Place; databaseUrl: string; store: Store },
): Promise<string[]> {
  const refs = place.git("for-each-ref");
  revive();
  await wait(afterwardsMs);
  const isSame = place.git("for-each-ref") === refs;
  const found = changes(store, await readStore(place.home, databaseUrl));
  return isSame ? found : ["the struck node changed refs when it came back", ...found];
}

/** Of all that a stale owner could have changed. */
function changes(before: Store, after: Store): string[] {
  const tables = ["jobs", "runs", "tasks", "events", "approvals"] as const;
  return tables.flatMap((table) => {
    const known = new Set(before[table].map((row) => JSON.stringify(row)));
    const changed = after[table].map((row) => JSON.stringify(row)).filter((row) => !known.has(row));
    const count = after[table].length - before[table].length;
    if (changed.length === 0 && count === 0) return [];
    return [
      `the struck node changed ${table} when it came back (${count} rows more): ${changed.join(" ").slice(0, 600)}`,
    ];
  });
}
