import { diceOf } from "./dice.ts";
import type { Scenario, Trial } from "./scenario.ts";
import { endAll, type ServedNode, serveNode } from "./served-node.ts";
import { agentsJob } from "./stage.ts";
import { strikeAndJudge } from "./strike.ts";
import { openTrials, type TrialOrder } from "./undisturbed.ts";
import { watchJob } from "./watch-job.ts";

/**
 * One of two nodes that work on a job is told to stop: the owner, or the guest. What it has under way ends or is handed
 * back, it leaves with 0 in its time and with nothing on its disk, and the other one goes on at once.
 */
export const drain: Scenario = {
  name: "drain",
  about: "of two nodes at work on a job one is told to stop (SIGTERM)",
  databases: ["postgres"],
  trials: 8,
  open: (setting) => openTrials(setting, runTrial, { job, settings }),
};

const settings = "models: { own: { context: 200000, output: 8000 } }\n";
const job = (tasks: number) => agentsJob(tasks, { model: "own", limits: { concurrency: 16 } });

const longestMs = 300_000;
/** Five seconds of grace, and what it takes to say and to store the rest, on a machine that is busy. */
const leavingMs = 10_000;

async function runTrial(trial: TrialOrder): Promise<Trial> {
  const { stage, usual, setting, number } = trial;
  const facts = diceOf("drain", setting.seed, number).whole(1, Math.round(usual.facts * 0.5));
  const isOwner = number % 2 === 1;
  using place = await stage.place(`drain-${number}`);
  const { databaseUrl } = place;
  if (databaseUrl === undefined) throw new Error("two nodes need a PostgreSQL");
  // An answer may take longer than the time to leave.
  await stage.endpoint.begin(`${setting.seed} ${number}`, { slower: 50 });
  await using watch = watchJob(databaseUrl);
  const owner = await serveNode(place, { home: place.home, databaseUrl });
  const guest = await serveNode(place, { home: place.home, databaseUrl });
  const told = isOwner ? owner : guest;
  try {
    await owner.submit();
    await watch.until(({ head, state }) => head >= facts || state === "finished", longestMs);
    const left = new Departure(told);
    const strike = { name: `the ${isOwner ? "owner" : "guest"} was told to stop`, hit: () => left.begin() };
    const judged = await strikeAndJudge(strike, { trial, place, databaseUrl, watch, isOwner });
    const findings = [...judged.findings, ...(await left.judge())];
    if (findings.length > 0) findings.push(owner.stderr.slice(-800), guest.stderr.slice(-800));
    return { told: [`at fact ${facts} ${judged.told}, left after ${left.ms} ms`], findings };
  } finally {
    await endAll([owner, guest]);
  }
}

/** How a node leaves that was told to. */
class Departure {
  readonly #node: ServedNode;
  #code: Promise<number | null> = Promise.resolve(null);
  ms = 0;

  constructor(node: ServedNode) {
    this.#node = node;
  }

  /** Told as by whoever watches over it: the process, and not what it has started. */
  begin(): void {
    const at = Date.now();
    this.#code = this.#node.ended.then((code) => {
      this.ms = Date.now() - at;
      return code;
    });
    this.#node.child.kill("SIGTERM");
  }

  async judge(): Promise<string[]> {
    const code = await this.#code;
    return [
      ...(code === 0 ? [] : [`the node that was told to stop left with ${code}`]),
      ...(this.ms <= leavingMs ? [] : [`the node that was told to stop took ${this.ms} ms`]),
    ];
  }
}
