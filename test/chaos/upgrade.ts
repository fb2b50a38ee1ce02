import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { diceOf } from "./dice.ts";
import { makeLaterBuild } from "./later-build.ts";
import { startNode } from "./node-under-test.ts";
import type { Scenario, Trial } from "./scenario.ts";
import { endAll, type ServedNode, serveNode } from "./served-node.ts";
import { agentsJob, type Place } from "./stage.ts";
import { type Strike, type Struck, strikeAndJudge } from "./strike.ts";
import { openTrials, type TrialOrder } from "./undisturbed.ts";
import { type JobWatch, watchJob } from "./watch-job.ts";

/**
 * A rolling upgrade across one migration. A later build starts and migrates the database under an older node: that one
 * ends its job beside it, or hands it over; and where the later one is gone, the older one leaves alone what it cannot
 * read. Started anew, an older build refuses the database.
 */
export const upgrade: Scenario = {
  name: "upgrade",
  about: "a later build migrates the database while nodes of an older one are at work",
  databases: ["postgres"],
  trials: 9,
  open: (setting) => openTrials(setting, runTrial, { job, settings }),
};

/** Without a price: nodes of both builds may do its runs. */
const settings = "models: { own: { context: 200000, output: 8000 } }\n";
const job = (tasks: number) => agentsJob(tasks, { model: "own", limits: { concurrency: 16 } });
const longestMs = 300_000;

interface Upgrade {
  trial: TrialOrder;
  place: Place;
  databaseUrl: string;
  watch: JobWatch;
  facts: number;
  older: ServedNode;
  /** Starts a node of the later build. */
  startLater(): Promise<ServedNode>;
  migrations: string;
}

async function runTrial(trial: TrialOrder): Promise<Trial> {
  const { stage, usual, setting, number } = trial;
  using place = await stage.place(`upgrade-${number}`);
  const { databaseUrl } = place;
  if (databaseUrl === undefined) throw new Error("nodes of two builds need a PostgreSQL");
  const folder = join(place.folder, "later");
  mkdirSync(folder);
  const { program, migrations } = makeLaterBuild(folder);
  await stage.endpoint.begin(`${setting.seed} ${number}`, { slower: 20 });
  await using watch = watchJob(databaseUrl);
  const older = await serveNode(place, { home: place.home, databaseUrl });
  const nodes = [older];
  const startLater = async () => {
    const later = await serveNode(place, { home: place.home, databaseUrl, program });
    nodes.push(later);
    return later;
  };
  const facts = diceOf("upgrade", setting.seed, number).whole(1, Math.round(usual.facts * 0.4));
  try {
    const act = [comeBack, handOver, workBeside][number % 3] ?? workBeside;
    const { told, findings } = await act({ trial, place, databaseUrl, watch, facts, older, startLater, migrations });
    findings.push(...(await refusal(place)));
    if (findings.length > 0) findings.push(...nodes.map(({ stderr }, index) => `${index}: ${stderr.slice(-800)}`));
    return { told: [`at fact ${facts} ${told}`], findings };
  } finally {
    await endAll(nodes);
  }
}

type Act = (upgrade: Upgrade) => Promise<{ told: string; findings: string[] }>;

/** Nobody stops the older node: it ends what it has, and both do the job's runs. */
const workBeside: Act = async (order) => {
  await order.older.submit();
  await untilFacts(order);
  await order.startLater();
  return judged({ name: "a later build came", hit: () => {} }, order, { kills: 0 });
};

/** As a deployment does it: the new one first, then the old one is told to stop. */
const handOver: Act = async (order) => {
  await order.older.submit();
  await untilFacts(order);
  await order.startLater();
  const hit = () => void order.older.child.kill("SIGTERM");
  return judged({ name: "a later build came and the older one was told to stop", hit }, order, { isOwner: true });
};

/** The later build has the job and dies: what it logged is not for the older node, which must not harm it. */
const comeBack: Act = async (order) => {
  const later = await order.startLater();
  await later.submit();
  await untilFacts(order);
  later.kill();
  await later.ended;
  const findings = await untilGivenUp(order);
  await order.startLater();
  const strike = { name: "the later build was killed and came again", hit: () => {}, isKilling: true };
  const end = await judged(strike, order, { isOwner: false });
  return { told: end.told, findings: [...findings, ...end.findings] };
};

async function untilFacts({ watch, facts }: Upgrade): Promise<void> {
  await watch.until(({ head, state }) => head >= facts || state === "finished", longestMs);
}

/** Long enough for the dead one's lease to end and the job to be offered to the older node. */
async function untilGivenUp({ older, watch }: Upgrade): Promise<string[]> {
  const before = await watch.look();
  for (const end = Date.now() + 30_000; Date.now() < end && !refused.test(older.stderr); ) await wait(200);
  const isSaid = refused.test(older.stderr);
  const after = await watch.look();
  return [
    ...(isSaid ? [] : ["the older node did not say that it cannot read the job"]),
    ...(after?.epoch === before?.epoch ? [] : ["the older node claimed a job that it cannot read"]),
    ...(after?.state === "running" ? [] : [`the job is ${after?.state} in the hands of an older node`]),
  ];
}

const refused = /could not be taken up: .*not one that this version knows/;

function judged(strike: Strike, { trial, place, databaseUrl, watch, migrations }: Upgrade, more: Partial<Struck>) {
  return strikeAndJudge(strike, { ...{ trial, place, databaseUrl, watch, migrations }, isOwner: false, ...more });
}

/** Nothing is opened by a build that does not know the tables. */
async function refusal({ folder, env, job: file, repository }: Place): Promise<string[]> {
  const late = startNode(["run", file, "--repo", repository], { cwd: folder, env });
  const code = await late.ended;
  const isRight = code === 78 && /migrated by a newer version/.test(late.stderr);
  return isRight ? [] : [`an older build ended with ${code} on the newer database: ${late.stderr.slice(-400)}`];
}
