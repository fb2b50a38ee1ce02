import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { type Cable, layCable } from "./cable.ts";
import { turnsPerTask } from "./chatter.ts";
import { type Dice, diceOf } from "./dice.ts";
import { runUndisturbed, type Undisturbed } from "./fan-out.ts";
import { judge } from "./judge.ts";
import type { Scenario, Setting, Trial } from "./scenario.ts";
import { type ServedNode, serveNode } from "./served-node.ts";
import { openStage, type Place, type Stage } from "./stage.ts";
import { readStore, type Store } from "./store.ts";
import { type JobWatch, watchJob } from "./watch-job.ts";

/**
 * Two nodes on one PostgreSQL, and the one that has the job is killed, frozen past its lease, or cut off from the
 * database. The other one goes on with it; the first, when it comes back, changes nothing.
 */
export const twoNodes: Scenario = {
  name: "two-nodes",
  about: "of two nodes the one that has the job is killed, frozen, or cut off from the database",
  databases: ["postgres"],
  trials: 16,
  async open(setting) {
    const stage = await openStage(setting);
    const usual = await runUndisturbed(stage, setting.seed);
    return {
      undisturbed: `${stage.tasks} tasks take ${(usual.ms / 1_000).toFixed(1)} s`,
      run: (number) => runTrial(stage, usual, { setting, number }),
      [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose](),
    };
  },
};

interface Disaster {
  name: string;
  strike(node: ServedNode, cable: Cable): void;
  /** Makes it whole again; absent where it is gone for good. */
  revive?(node: ServedNode, cable: Cable): void;
}

const disasters: readonly Disaster[] = [
  { name: "killed", strike: (node) => node.kill() },
  { name: "frozen", strike: (node) => node.signal("SIGSTOP"), revive: (node) => node.signal("SIGCONT") },
  { name: "cut off", strike: (_, cable) => cable.pull(), revive: (_, cable) => cable.mend() },
  { name: "partitioned", strike: (_, cable) => cable.swallow(), revive: (_, cable) => cable.mend() },
];

/** Leases of ten seconds; what was promised is a takeover within fifteen. */
const takeoverMs = 15_000;
const longestMs = 300_000;
/** For whatever the first node does when it comes back. */
const afterwardsMs = 4_000;

async function runTrial(
  stage: Stage,
  usual: Undisturbed,
  { setting, number }: { setting: Setting; number: number },
): Promise<Trial> {
  const dice = diceOf("two-nodes", setting.seed, number);
  const disaster = disasters[number % disasters.length];
  using place = await stage.place(`nodes-${number}`);
  const { databaseUrl } = place;
  if (databaseUrl === undefined || !disaster) throw new Error("two nodes need a PostgreSQL");
  await stage.endpoint.begin(`${setting.seed} ${number}`);
  await using cable = await layCable(databaseUrl);
  await using watch = watchJob(databaseUrl);
  const homes = homesOf(place, dice);
  const first = await serveNode(place, { home: homes.first, databaseUrl: cable.url });
  const second = await serveNode(place, { home: homes.second, databaseUrl });
  try {
    const told = await strike({ dice, disaster, usual, first, watch, cable });
    const findings = await follow({ watch, disaster, first, cable, told });
    const stored = await readStore(place.home, databaseUrl);
    const refs = place.git("for-each-ref");
    if (disaster.revive) {
      disaster.revive(first, cable);
      await wait(afterwardsMs);
      if (place.git("for-each-ref") !== refs) findings.push("the first node changed refs when it came back");
      const then = await readStore(place.home, databaseUrl);
      findings.push(...changes(stored, then));
    }
    const asked = await stage.endpoint.tell();
    const evidence = { store: stored, told: asked, place, tree: usual.tree, turns: turnsPerTask, kills: 1 };
    // What a killed node had on its disk is its own to clear away, when it comes again.
    const isLeft = (finding: string) => disaster.name === "killed" && finding.includes(" was left");
    findings.push(...judge(evidence).filter((finding) => !isLeft(finding)));
    if (findings.length > 0)
      findings.push(`first: ${first.stderr.slice(-800)}`, `second: ${second.stderr.slice(-800)}`);
    return {
      told: [`${told.name} at fact ${told.facts}, ${homes.words}, taken over after ${told.takenMs} ms`],
      findings,
    };
  } finally {
    for (const node of [first, second]) node.kill();
    await Promise.all([first.ended, second.ended]);
  }
}

/** Half of the time they share a data folder. */
function homesOf({ folder }: Place, dice: Dice): { first: string; second: string; words: string } {
  const first = join(folder, "home");
  if (dice.next() < 0.5) return { first, second: first, words: "one data folder" };
  return { first, second: join(folder, "second"), words: "two data folders" };
}

interface Struck {
  name: string;
  facts: number;
  at: number;
  takenMs?: number;
}

async function strike({
  dice,
  disaster,
  usual,
  first,
  watch,
  cable,
}: {
  dice: Dice;
  disaster: Disaster;
  usual: Undisturbed;
  first: ServedNode;
  watch: JobWatch;
  cable: Cable;
}): Promise<Struck> {
  const facts = dice.whole(1, Math.round(usual.facts * 0.9));
  await first.submit();
  await watch.until(({ head }) => head >= facts, longestMs);
  disaster.strike(first, cable);
  return { name: disaster.name, facts, at: Date.now() };
}

async function follow({
  watch,
  disaster,
  told,
}: {
  watch: JobWatch;
  disaster: Disaster;
  first: ServedNode;
  cable: Cable;
  told: Struck;
}): Promise<string[]> {
  const isTaken = await watch.until(({ epoch, state }) => epoch > 1 || state === "finished", longestMs);
  told.takenMs = Date.now() - told.at;
  if (!isTaken) return [`${disaster.name}: nobody took the job over`];
  const findings = told.takenMs > takeoverMs ? [`it was taken over after ${told.takenMs} ms`] : [];
  if (!(await watch.until(({ state }) => state === "finished", longestMs))) findings.push("it did not end");
  return findings;
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
      `the first node changed ${table} when it came back (${count} rows more): ${changed.join(" ").slice(0, 600)}`,
    ];
  });
}
