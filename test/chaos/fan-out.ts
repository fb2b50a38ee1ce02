import { turnsPerTask } from "./chatter.ts";
import { type Dice, diceOf } from "./dice.ts";
import { judge } from "./judge.ts";
import { beginRound, instant, sayInstant, startRun } from "./round.ts";
import type { Scenario, Trial } from "./scenario.ts";
import { openStage, type Stage } from "./stage.ts";
import { readStore } from "./store.ts";

/**
 * One job of many agents, whose process is killed at instants of chance and started again, until it ends. A trial is
 * named by a seed and a number, and its kills are the same each time; what they meet is the machine's business.
 */
export const fanOut: Scenario = {
  name: "fan-out",
  about: "a job of many agents, whose process is killed at instants of chance",
  databases: ["embedded", "postgres"],
  trials: 200,
  async open(setting) {
    const stage = await openStage(setting);
    const usual = await runUndisturbed(stage, setting.seed);
    return {
      undisturbed: `${stage.tasks} tasks take ${(usual.ms / 1_000).toFixed(1)} s and ${usual.facts} facts`,
      run: (number) => runTrial(stage, usual, { seed: setting.seed, number }),
      [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose](),
    };
  },
};

export interface Undisturbed {
  tree: string;
  /** How long it took, and facts that it printed. */
  ms: number;
  facts: number;
}

/** Throws where even that goes wrong: then no point says anything. */
export async function runUndisturbed(stage: Stage, seed: string): Promise<Undisturbed> {
  using place = await stage.place("undisturbed");
  await stage.endpoint.begin(seed);
  const begun = performance.now();
  const node = startRun(place);
  const code = await node.ended;
  const ms = performance.now() - begun;
  const store = await readStore(place.home, place.databaseUrl);
  const tree = store.jobs[0]?.result?.result_tree ?? "";
  const told = await stage.endpoint.tell();
  const wrong = judge({ store, told, place, tree, turns: turnsPerTask, kills: 0 });
  if (code !== 0 || wrong.length > 0)
    throw new Error(`undisturbed it ends with ${code}: ${wrong.join("; ")}\n${node.stderr}`);
  return { tree, ms, facts: node.facts.length };
}

async function runTrial(
  stage: Stage,
  undisturbed: Undisturbed,
  name: { seed: string; number: number },
): Promise<Trial> {
  const dice = diceOf(name.seed, name.number);
  using place = await stage.place(`point-${name.number}`);
  await stage.endpoint.begin(`${name.seed} ${name.number}`);
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
