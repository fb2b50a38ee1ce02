import { turnsPerTask } from "./chatter.ts";
import { type Dice, diceOf } from "./dice.ts";
import { judge } from "./judge.ts";
import { beginRound, instant, sayInstant } from "./round.ts";
import type { Scenario, Trial } from "./scenario.ts";
import { readStore } from "./store.ts";
import { openTrials, type TrialOrder } from "./undisturbed.ts";

/**
 * One job of many agents, whose process is killed at instants of chance and started again, until it ends. A trial is
 * named by a seed and a number, and its kills are the same each time; what they meet is the machine's business.
 */
export const fanOut: Scenario = {
  name: "fan-out",
  about: "a job of many agents, whose process is killed at instants of chance",
  databases: ["embedded", "postgres"],
  trials: 200,
  open: (setting) => openTrials(setting, runTrial),
};

async function runTrial({ stage, usual: undisturbed, setting: { seed }, number }: TrialOrder): Promise<Trial> {
  const dice = diceOf(seed, number);
  using place = await stage.place(`point-${number}`);
  await stage.endpoint.begin(`${seed} ${number}`);
  const told: string[] = [];
  const most = mostKills(dice);
  let kills = 0;
  for (let isKilled = true; kills < most && isKilled; ) {
    const when = instant(dice, undisturbed);
    isKilled = await (await beginRound(place)).killAt(when);
    if (isKilled) kills += 1;
    told.push(`${isKilled ? "killed at" : "it ended before"} ${sayInstant(when)}`);
  }
  const last = await beginRound(place);
  const code = await last.finish(Math.max(leastMs, undisturbed.ms * 20));
  const store = await readStore(place.home, place.databaseUrl);
  const asked = await stage.endpoint.tell();
  const findings = judge({ store, told: asked, place, tree: undisturbed.tree, turns: turnsPerTask, kills });
  if (code !== 0) findings.unshift(`the last process ended with ${code ?? "a kill: it hung"}: ${last.told()}`);
  return { told, findings };
}

/** Nothing takes as long that is still going on. */
const leastMs = 120_000;

function mostKills(dice: Dice): number {
  const chance = dice.next();
  if (chance < 0.7) return 1;
  return chance < 0.9 ? 2 : 4;
}
