import { setTimeout as wait } from "node:timers/promises";
import { turnsPerTask } from "./chatter.ts";
import { type Dice, diceOf } from "./dice.ts";
import { judge } from "./judge.ts";
import { type NodeUnderTest, startNode } from "./node-under-test.ts";
import type { Scenario, Trial } from "./scenario.ts";
import { openStage, type Place, type Stage } from "./stage.ts";
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
  for (let kills = 0; kills < most; ) {
    const node = startRun(place);
    const when = instant(dice, undisturbed);
    const hasEnded = await killAt(when, node);
    told.push(
      `${hasEnded ? `ended ${await node.ended} before` : "killed at"} ${sayInstant(when)}, ${node.facts.length} facts`,
    );
    if (hasEnded) break;
    kills += 1;
  }
  const kills = told.filter((line) => line.startsWith("killed")).length;
  const last = startRun(place);
  const code = await endedWithin(last, undisturbed);
  const store = await readStore(place.home, place.databaseUrl);
  const asked = await stage.endpoint.tell();
  const findings = judge({ store, told: asked, place, tree: undisturbed.tree, turns: turnsPerTask, kills });
  if (code !== 0)
    findings.unshift(`the last process ended with ${code ?? "a kill: it hung"}: ${last.stderr.slice(-1_500)}`);
  return { told, findings };
}

function startRun(place: Place): NodeUnderTest {
  const words = ["run", place.job, "--repo", place.repository, "--output-format", "stream-json"];
  return startNode([...words, "--idempotency-key", "chaos"], { cwd: place.folder, env: place.env });
}

function mostKills(dice: Dice): number {
  const chance = dice.next();
  if (chance < 0.7) return 1;
  return chance < 0.9 ? 2 : 4;
}

/** A few by time, which finds the start as well; most by how far the work is. */
type Instant = { afterMs: number } | { afterFacts: number; plusMs: number };

function instant(dice: Dice, { ms, facts }: Undisturbed): Instant {
  if (dice.next() < 0.15) return { afterMs: dice.whole(0, Math.round(ms)) };
  return { afterFacts: dice.whole(1, facts - 1), plusMs: dice.whole(0, 30) };
}

function sayInstant(when: Instant): string {
  return "afterMs" in when ? `${when.afterMs} ms` : `fact ${when.afterFacts} and ${when.plusMs} ms`;
}

/** True where it came to its end before. */
async function killAt(when: Instant, node: NodeUnderTest): Promise<boolean> {
  let hasEnded = false;
  const ended = node.ended.then(() => {
    hasEnded = true;
  });
  if ("afterFacts" in when) await node.told(when.afterFacts);
  await Promise.race([ended, wait("afterMs" in when ? when.afterMs : when.plusMs)]);
  if (hasEnded) return true;
  node.kill();
  await ended;
  return (await node.ended) !== null;
}

/** null where it had to be killed: nothing takes a hundred times as long as usual. */
async function endedWithin(node: NodeUnderTest, { ms }: Undisturbed): Promise<number | null> {
  const timer = setTimeout(() => node.kill(), Math.max(60_000, ms * 20));
  const code = await node.ended;
  clearTimeout(timer);
  return code;
}
