import { layCable } from "./cable.ts";
import { diceOf } from "./dice.ts";
import { noNetworkBecause, openNetwork } from "./network.ts";
import { type NodeUnderTest, startNode } from "./node-under-test.ts";
import type { Scenario, Trial } from "./scenario.ts";
import { endAll, serveNode } from "./served-node.ts";
import { strikeAndJudge } from "./strike.ts";
import { openTrials, type TrialOrder } from "./undisturbed.ts";
import { watchJob } from "./watch-job.ts";

/**
 * The node that has the job is in a network of its own, whose one link goes down: no connection is closed, what is sent
 * just never arrives, to the database and to the model. It is plugged in again once the other node has ended the job.
 */
export const unplugged: Scenario = {
  name: "unplugged",
  about: "the node that has the job is in a network namespace whose link goes down",
  databases: ["postgres"],
  trials: 5,
  missing: noNetworkBecause,
  open: (setting) => openTrials(setting, runTrial),
};

const longestMs = 300_000;

async function runTrial(trial: TrialOrder): Promise<Trial> {
  const { stage, usual, setting, number } = trial;
  const facts = diceOf("unplugged", setting.seed, number).whole(1, Math.round(usual.facts * 0.9));
  using place = await stage.place(`unplugged-${number}`);
  const { databaseUrl, folder, env } = place;
  if (databaseUrl === undefined) throw new Error("two nodes need a PostgreSQL");
  await stage.endpoint.begin(`${setting.seed} ${number}`);
  using network = openNetwork();
  const at = { at: network.gateway };
  await using database = await layCable(databaseUrl, at);
  await using endpoint = await layCable(env.ANTHROPIC_BASE_URL ?? "", at);
  await using watch = watchJob(databaseUrl);
  const nodes: NodeUnderTest[] = [await serveNode(place, { home: place.home, databaseUrl })];
  try {
    const inside = { ...env, DATABASE_URL: database.url, ANTHROPIC_BASE_URL: endpoint.url };
    const words = ["run", place.job, "--repo", place.repository, "--output-format", "stream-json"];
    nodes.push(startNode(words, { cwd: folder, env: inside, within: network.within }));
    await watch.until(({ head, state }) => head >= facts || state === "finished", longestMs);
    const strike = { name: "unplugged", hit: network.unplug, revive: network.plug, delaysCalls: true };
    const { told, findings } = await strikeAndJudge(strike, { trial, place, databaseUrl, watch, isOwner: true });
    if (findings.length > 0) findings.push(...nodes.map(({ stderr }) => stderr.slice(-800)));
    return { told: [`at fact ${facts} ${told}`], findings };
  } finally {
    await endAll(nodes);
  }
}
