import { turnsPerTask } from "./chatter.ts";
import { judge } from "./judge.ts";
import { startRun } from "./round.ts";
import type { Setting, Trial, Trials } from "./scenario.ts";
import { openStage, type Stage, type StageOptions } from "./stage.ts";
import { readStore } from "./store.ts";

/** What a trial is held against: the same job, when nobody disturbs it. */
export interface Undisturbed {
  tree: string;
  /** How long it took, and facts that it printed. */
  ms: number;
  facts: number;
}

/** One trial, named by its setting's seed and its number. */
export interface TrialOrder {
  stage: Stage;
  usual: Undisturbed;
  setting: Setting;
  number: number;
}

/** The trials of a scenario whose job was done once without a disaster. */
export async function openTrials(
  setting: Setting,
  runTrial: (order: TrialOrder) => Promise<Trial>,
  more: Pick<StageOptions, "job" | "settings"> = {},
): Promise<Trials> {
  const stage = await openStage({ ...setting, ...more });
  const usual = await runUndisturbed(stage, setting.seed);
  return {
    undisturbed: `${stage.tasks} tasks take ${(usual.ms / 1_000).toFixed(1)} s and ${usual.facts} facts`,
    run: (number) => runTrial({ stage, usual, setting, number }),
    [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose](),
  };
}

/** Throws where even that goes wrong: then no point says anything. */
async function runUndisturbed(stage: Stage, seed: string): Promise<Undisturbed> {
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
