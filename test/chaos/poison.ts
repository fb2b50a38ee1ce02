import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { diceOf } from "./dice.ts";
import { judgeEnds, judgeLogs } from "./judge.ts";
import { startNode } from "./node-under-test.ts";
import type { Scenario, Setting, Trial } from "./scenario.ts";
import { openStage, type Place, type Stage } from "./stage.ts";
import { readStore, type Store } from "./store.ts";

/**
 * A task that kills its thread each time, for want of memory, beside others that do not; and its process is killed in the
 * middle of that. It is given up, the others are landed, and the result says why.
 */
export const poison: Scenario = {
  name: "poison",
  about: "a task that kills its thread each time, and its process is killed in between",
  databases: ["embedded"],
  trials: 5,
  async open(setting) {
    const stage = await openStage({ ...setting, tasks: 4, job: poisonJob });
    return {
      undisturbed: `${stage.tasks} tasks beside the one that is poison`,
      run: (number) => runTrial(stage, setting, number),
      [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose](),
    };
  },
};

/** More than a thread of so much memory can take in. */
const heapMb = 64;
const statements = 40_000;
/** Once in company and twice alone; the one that was under way at the kill does not count. */
const mostAttempts = 4;

async function runTrial(stage: Stage, { seed }: Setting, number: number): Promise<Trial> {
  const dice = diceOf("poison", seed, number);
  using place = await stage.place(`poison-${number}`);
  plantPoison(place);
  await stage.endpoint.begin(seed);
  const first = start(place);
  const facts = dice.whole(1, 60);
  await first.told(facts);
  first.kill();
  await first.ended;
  const last = start(place);
  const code = await last.ended;
  const store = await readStore(place.home, place.databaseUrl);
  const findings = [...judgeLogs(store), ...judgeEnds(store), ...judgePoison(store)];
  if (code !== 10) findings.push(`the last process ended with ${code}: ${last.stderr.slice(-1_000)}`);
  return { told: [`killed at fact ${facts}`], findings };
}

function start({ job, repository, folder: cwd, env }: Place) {
  return startNode(["run", job, "--repo", repository, "--output-format", "stream-json"], { cwd, env });
}

function plantPoison({ home, repository, git }: Place): void {
  appendFileSync(join(home, "sheaf.config.yaml"), `threads: { heap_mb: ${heapMb}, count: 1 }\n`);
  mkdirSync(join(repository, "huge"));
  const lines = Array.from({ length: statements }, (_, index) => `var a${index} = ${index};`);
  writeFileSync(join(repository, "huge/file.js"), lines.join("\n"));
  git("add", "-A");
  git("-c", "user.name=Test", "-c", "user.email=test@localhost", "commit", "-qm", "huge");
}

function poisonJob(tasks: number): string {
  const lines = Array.from(
    { length: tasks },
    (_, part) =>
      `  - { id: part-${part}, items: [part-${part}/limit.js], steps: [{ prompt: "Raise the limit in part-${part}." }] }\n`,
  );
  const poisoned = "  - { id: huge, items: [huge/file.js], steps: [{ codemod: no-var }] }\n";
  return `version: 1\nmodel: sonnet\nlimits: { usd: 1000 }\ntasks:\n${lines.join("")}${poisoned}`;
}

function judgePoison({ jobs }: Store): string[] {
  const [job] = jobs;
  if (jobs.length !== 1 || !job?.result) return [`there are ${jobs.length} jobs, the first is ${job?.state}`];
  const { outcome, tasks } = job.result;
  return [
    ...(outcome === "partial" ? [] : [`the job ended ${outcome}`]),
    ...tasks.flatMap(({ id, state, landed, attempts, reason }) => {
      if (id !== "huge") return state === "succeeded" && landed ? [] : [`${id} is ${state}: ${reason?.message}`];
      const isTold = state === "failed" && reason?.code === "thread_died" && /out of memory/.test(reason.message);
      const isBounded = attempts >= 3 && attempts <= mostAttempts;
      return isTold && isBounded ? [] : [`${id} is ${state} after ${attempts} attempts: ${reason?.message}`];
    }),
  ];
}
