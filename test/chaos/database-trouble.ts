import { setTimeout as wait } from "node:timers/promises";
import { Client } from "pg";
import { type Cable, layCable } from "./cable.ts";
import { turnsPerTask } from "./chatter.ts";
import { type Dice, diceOf } from "./dice.ts";
import { judge } from "./judge.ts";
import { type NodeUnderTest, startNode } from "./node-under-test.ts";
import type { Scenario, Trial } from "./scenario.ts";
import type { Place, Stage } from "./stage.ts";
import { readStore } from "./store.ts";
import { openTrials, type TrialOrder, type Undisturbed } from "./undisturbed.ts";

/**
 * The database in trouble under a job of many agents: killed and started again, connections cut wherever they are, and
 * transactions that lose against others. The node lives on, so nothing may be asked twice and nothing be lost.
 */
export const databaseTrouble: Scenario = {
  name: "database",
  about: "PostgreSQL is killed and restarted, its connections are cut, its transactions fail, under load",
  databases: ["postgres"],
  trials: 15,
  open: (setting) => openTrials(setting, runTrial),
};

interface Trouble {
  dice: Dice;
  node: NodeUnderTest;
  stage: Stage;
  cable: Cable;
  place: Place;
  usual: Undisturbed;
}

/** Each makes its trouble while the node works, and says what it did. */
const troubles: readonly ((trouble: Trouble) => Promise<string>)[] = [crash, cut, contend];

async function runTrial({ stage, usual, setting, number }: TrialOrder): Promise<Trial> {
  const dice = diceOf("database", setting.seed, number);
  using place = await stage.place(`database-${number}`);
  if (place.databaseUrl === undefined) throw new Error("the embedded database has no server that could be in trouble");
  await stage.endpoint.begin(`${setting.seed} ${number}`);
  await using cable = await layCable(place.databaseUrl);
  const words = ["run", place.job, "--repo", place.repository, "--output-format", "stream-json"];
  const node = startNode(words, { cwd: place.folder, env: { ...place.env, DATABASE_URL: cable.url } });
  await node.told(dice.whole(1, Math.round(usual.facts / 2)));
  const make = troubles[number % troubles.length] ?? crash;
  const told = await make({ dice, node, stage, cable, place, usual });
  const code = await node.ended;
  const store = await readStore(place.home, place.databaseUrl);
  const asked = await stage.endpoint.tell();
  const findings = judge({ store, told: asked, place, tree: usual.tree, turns: turnsPerTask, kills: 0 });
  if (code !== 0) findings.unshift(`the node ended with ${code}: ${node.stderr.slice(-1_500)}`);
  return { told: [told], findings };
}

const mostAwayMs = 20_000;

async function crash({ dice, stage }: Trouble): Promise<string> {
  const awayMs = dice.whole(0, mostAwayMs);
  await stage.server?.crash();
  await wait(awayMs);
  await stage.server?.restart();
  return `the server was killed, and started again after ${awayMs} ms`;
}

/** Each time in the middle of whatever is under way. */
async function cut({ dice, node, cable, usual }: Trouble): Promise<string> {
  const times = dice.whole(1, 6);
  for (let time = 0; time < times; time++) {
    cable.cut();
    await Promise.race([node.ended, wait(dice.whole(50, Math.max(100, Math.round(usual.ms / 8))))]);
  }
  return `all connections were cut ${times} times`;
}

/** Somebody else holds the rows of runs now and then, and every transaction is serializable: many lose. */
async function contend({ node, place }: Trouble): Promise<string> {
  const rival = new Client({ connectionString: place.databaseUrl });
  await rival.connect();
  let rounds = 0;
  const name = new URL(place.databaseUrl ?? "").pathname.slice(1);
  await rival.query(`alter database "${name}" set default_transaction_isolation to serializable`);
  await rival.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
  );
  const over = node.ended.then(() => true);
  do {
    // It may be the one that loses.
    await rival.query(touchAll).catch(() => rival.query("rollback"));
    rounds += 1;
  } while (!(await Promise.race([over, wait(20, false)])));
  await rival.end();
  return `another transaction touched all runs ${rounds} times, and all were serializable`;
}

const touchAll =
  "begin isolation level serializable; select sum(head) from sheaf.runs; update sheaf.runs set head = head; commit";
