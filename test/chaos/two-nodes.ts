import { join } from "node:path";
import { layCable } from "./cable.ts";
import { type Dice, diceOf } from "./dice.ts";
import { disasterOf } from "./disaster.ts";
import type { Scenario, Trial } from "./scenario.ts";
import { endAll, serveNode } from "./served-node.ts";
import type { Place } from "./stage.ts";
import { strikeAndJudge } from "./strike.ts";
import { openTrials, type TrialOrder } from "./undisturbed.ts";
import { watchJob } from "./watch-job.ts";

/**
 * Two nodes on one PostgreSQL, and the one that has the job is killed, frozen past its lease, or cut off from the
 * database. The other one goes on with it; the first, when it comes back, changes nothing.
 */
export const twoNodes: Scenario = {
  name: "two-nodes",
  about: "of two nodes the one that has the job is killed, frozen, or cut off from the database",
  databases: ["postgres"],
  trials: 16,
  open: (setting) => openTrials(setting, runTrial),
};

const longestMs = 300_000;

async function runTrial(trial: TrialOrder): Promise<Trial> {
  const { stage, usual, setting, number } = trial;
  const dice = diceOf("two-nodes", setting.seed, number);
  using place = await stage.place(`nodes-${number}`);
  const { databaseUrl } = place;
  if (databaseUrl === undefined) throw new Error("two nodes need a PostgreSQL");
  await stage.endpoint.begin(`${setting.seed} ${number}`);
  await using cable = await layCable(databaseUrl);
  await using watch = watchJob(databaseUrl);
  const homes = homesOf(place, dice);
  const first = await serveNode(place, { home: homes.first, databaseUrl: cable.url });
  const second = await serveNode(place, { home: homes.second, databaseUrl });
  try {
    const facts = dice.whole(1, Math.round(usual.facts * 0.9));
    await first.submit();
    await watch.until(({ head }) => head >= facts, longestMs);
    const disaster = disasterOf(number, first, cable);
    const { told, findings } = await strikeAndJudge(disaster, { trial, place, databaseUrl, watch, isOwner: true });
    if (findings.length > 0)
      findings.push(`first: ${first.stderr.slice(-800)}`, `second: ${second.stderr.slice(-800)}`);
    return { told: [`at fact ${facts} ${told}, ${homes.words}`], findings };
  } finally {
    await endAll([first, second]);
  }
}

/** Half of the time they share a data folder. */
function homesOf({ folder }: Place, dice: Dice): { first: string; second: string; words: string } {
  const first = join(folder, "home");
  if (dice.next() < 0.5) return { first, second: first, words: "one data folder" };
  return { first, second: join(folder, "second"), words: "two data folders" };
}
