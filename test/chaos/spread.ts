import { type Cable, layCable } from "./cable.ts";
import { diceOf } from "./dice.ts";
import { disasterOf } from "./disaster.ts";
import type { Scenario, Trial } from "./scenario.ts";
import { endAll, type ServedNode, serveNode } from "./served-node.ts";
import { agentsJob, type Place } from "./stage.ts";
import { type Strike, type Struck, strikeAndJudge } from "./strike.ts";
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

/** With a price and a budget: each call of a guest is asked for, and whoever has the job then answers. */
const price = "{ input: 3, output: 15, cache_read: 0.3, cache_write_5m: 3.75 }";
const settings = `models: { own: { context: 200000, output: 8000, price: ${price} } }\n`;
/** Enough for a part that dies on the way, and less than all that could be reserved at once. */
const job = (tasks: number) =>
  agentsJob(tasks, { model: "own", limits: { concurrency: tasks, usd: Math.max(5, tasks / 2) } });

const longestMs = 300_000;

async function runTrial(trial: TrialOrder): Promise<Trial> {
  const { stage, usual, setting, number } = trial;
  using place = await stage.place(`spread-${number}`);
  const { databaseUrl } = place;
  if (databaseUrl === undefined) throw new Error("nodes that share a job need a PostgreSQL");
  // Slow enough for every node to be in the middle of something.
  await stage.endpoint.begin(`${setting.seed} ${number}`, { slower: 8 });
  await using watch = watchJob(databaseUrl);
  const owner = await serveNode(place, { home: place.home, databaseUrl });
  await using one = await openGuest(place, databaseUrl);
  await using other = await openGuest(place, databaseUrl);
  const nodes = [owner, one.node, other.node];
  try {
    await owner.submit();
    const facts = diceOf("spread", setting.seed, number).whole(1, Math.round(usual.facts * 0.4));
    const guest = await untilShared(owner, { guests: [one, other], facts }, watch);
    if (!guest) return { told: [], findings: ["there was no moment at which the owner and a guest both had runs"] };
    const { told, findings } = await strikeAndJudge(...strikeOf(trial, { owner, guest, place, databaseUrl, watch }));
    if (findings.length > 0) findings.push(...nodes.map(({ stderr }, index) => `${index}: ${stderr.slice(-800)}`));
    return { told: [`after fact ${facts} ${told}`], findings };
  } finally {
    await endAll(nodes);
  }
}

interface Guest extends AsyncDisposable {
  node: ServedNode;
  cable: Cable;
}

async function openGuest(place: Place, databaseUrl: string): Promise<Guest> {
  const cable = await layCable(databaseUrl);
  const node = await serveNode(place, { home: place.home, databaseUrl: cable.url });
  return { node, cable, [Symbol.asyncDispose]: () => cable[Symbol.asyncDispose]() };
}

/** The guest that has runs at a moment at which the owner has some too; undefined where the job ended before. */
async function untilShared(
  owner: ServedNode,
  { guests, facts }: { guests: readonly Guest[]; facts: number },
  watch: JobWatch,
): Promise<Guest | undefined> {
  let found: Guest | undefined;
  await watch.until(({ state, head, workers }) => {
    const isBusy = ({ child }: ServedNode) => child.pid !== undefined && workers.includes(child.pid);
    if (head >= facts && isBusy(owner)) found = guests.find(({ node }) => isBusy(node));
    return found !== undefined || state === "finished";
  }, longestMs);
  return found;
}

/** Every other time the owner is killed at the same moment. */
function strikeOf(
  trial: TrialOrder,
  { owner, guest, ...around }: Pick<Struck, "place" | "databaseUrl" | "watch"> & { owner: ServedNode; guest: Guest },
): [Strike, Struck] {
  const disaster = disasterOf(Math.floor(trial.number / 2), guest.node, guest.cable);
  const name = `the guest was ${disaster.name}`;
  if (trial.number % 2 === 0)
    return [
      { ...disaster, name },
      { ...around, trial, isOwner: false },
    ];
  const hit = () => {
    disaster.hit();
    owner.kill();
  };
  const both = { ...disaster, hit, isKilling: true, name: `${name} and the owner killed` };
  return [both, { ...around, trial, isOwner: true, kills: 2 }];
}
