import { type Cable, layCable } from "./cable.ts";
import { diceOf } from "./dice.ts";
import { disasterOf } from "./disaster.ts";
import type { Scenario, Trial } from "./scenario.ts";
import { endAll, type ServedNode, serveNode } from "./served-node.ts";
import { agentsJob, type Place } from "./stage.ts";
import { type Strike, strikeAndJudge } from "./strike.ts";
import { openTrials, type TrialOrder } from "./undisturbed.ts";
import { type JobWatch, watchJob } from "./watch-job.ts";

/**
 * Three nodes on one PostgreSQL and one data folder do the runs of one job together, and a disaster strikes: the one that
 * works as a guest, or that one and the job's owner within a moment. Who is left brings the job to its end.
 */
export const spread: Scenario = {
  name: "spread",
  about: "several nodes do the runs of one job, and a guest, or the owner with it, is killed, frozen, or cut off",
  databases: ["postgres"],
  trials: 16,
  open: (setting) => openTrials(setting, runTrial, { job, settings }),
};

/** Without a price: a node may do its runs for another one without a budget between them. */
const settings = "models: { own: { context: 200000, output: 8000 } }\n";
const job = (tasks: number) => agentsJob(tasks, { model: "own", limits: { concurrency: tasks } });

const longestMs = 300_000;

async function runTrial(trial: TrialOrder): Promise<Trial> {
  const { stage, setting, number } = trial;
  using place = await stage.place(`spread-${number}`);
  const { databaseUrl } = place;
  if (databaseUrl === undefined) throw new Error("nodes that share a job need a PostgreSQL");
  // Slow enough for every node to be in the middle of something.
  await stage.endpoint.begin(`${setting.seed} ${number}`, { slower: 4 });
  await using cable = await layCable(databaseUrl);
  await using watch = watchJob(databaseUrl);
  const nodes = await startNodes(place, [databaseUrl, cable.url, databaseUrl]);
  const [owner, guest] = nodes;
  if (!owner || !guest) throw new Error("there are three nodes");
  try {
    const { strike, isOwner, kills, facts } = chosen(trial, { owner, guest, cable });
    await owner.submit();
    const isSpread = await untilShared({ owner, guest, facts }, watch);
    const { told, findings } = await strikeAndJudge(strike, { trial, place, databaseUrl, watch, isOwner, kills });
    if (!isSpread) findings.push("there was no moment at which owner and guest both had runs");
    if (findings.length > 0) findings.push(...nodes.map(({ stderr }, index) => `${index}: ${stderr.slice(-800)}`));
    return { told: [`after fact ${facts} ${told}`], findings };
  } finally {
    await endAll(nodes);
  }
}

/** One after the other: the first makes the tables and the token. */
async function startNodes(place: Place, urls: readonly string[]): Promise<ServedNode[]> {
  const nodes: ServedNode[] = [];
  for (const databaseUrl of urls) nodes.push(await serveNode(place, { home: place.home, databaseUrl }));
  return nodes;
}

interface Chosen {
  strike: Strike;
  isOwner: boolean;
  kills: number;
  facts: number;
}

/** Every other one takes the owner as well. */
function chosen(
  { setting, usual, number }: TrialOrder,
  { owner, guest, cable }: { owner: ServedNode; guest: ServedNode; cable: Cable },
): Chosen {
  const facts = diceOf("spread", setting.seed, number).whole(1, Math.round(usual.facts * 0.5));
  const disaster = disasterOf(Math.floor(number / 2), guest, cable);
  const name = `the guest was ${disaster.name}`;
  if (number % 2 === 0) return { strike: { ...disaster, name }, isOwner: false, kills: 1, facts };
  const hit = () => {
    disaster.hit();
    owner.kill();
  };
  return {
    strike: { ...disaster, hit, isKilling: true, name: `${name} and the owner killed` },
    isOwner: true,
    kills: 2,
    facts,
  };
}

async function untilShared(
  { owner, guest, facts }: { owner: ServedNode; guest: ServedNode; facts: number },
  watch: JobWatch,
): Promise<boolean> {
  let isShared = false;
  await watch.until(({ state, head, workers }) => {
    const areBoth = [owner, guest].every(({ child }) => child.pid !== undefined && workers.includes(child.pid));
    isShared = head >= facts && areBoth;
    return isShared || state === "finished";
  }, longestMs);
  return isShared;
}
