import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { turnsPerTask } from "./chatter.ts";
import { diceOf } from "./dice.ts";
import { judge } from "./judge.ts";
import type { Scenario, Setting, Trial } from "./scenario.ts";
import { type ServedNode, serveNode } from "./served-node.ts";
import { agentsJob, openStage, type Place, type Stage } from "./stage.ts";
import { readStore, type Store } from "./store.ts";

/**
 * Runs that wait for a person, each in the middle of its conversation, while their process is killed. The questions are
 * still the same ones afterwards; each answer wakes its run once.
 */
export const parked: Scenario = {
  name: "parked",
  about: "a thousand runs wait for an answer, and their process is killed and started again",
  databases: ["embedded", "postgres"],
  trials: 1,
  async open(setting) {
    const tasks = setting.tasks * 10;
    const stage = await openStage({ ...setting, tasks, job: parkedJob });
    return {
      undisturbed: `${tasks} runs`,
      run: async (number) => runTrial(stage, { setting, number, usual: await memoryOfFew(stage) }),
      [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose](),
    };
  },
};

const page = z.object({ data: z.array(z.object({ id: z.string() })), next_cursor: z.string().nullish() });
const longestMs = 900_000;
const atOnce = 16;

/** So many cost what the first of them costs; what the others take is divided by their number. */
const few = 20;
/** For what was under way when the last question was stored. */
const settleMs = 3_000;

/** Of a node with a few parked runs, in kB. */
async function memoryOfFew(stage: Stage): Promise<number> {
  using place = await stage.place("parked-few");
  writeFileSync(place.job, parkedJob(few));
  await stage.endpoint.begin("few");
  const node = await serveNode(place, { home: place.home, databaseUrl: place.databaseUrl });
  await node.submit();
  await untilAsked(node, few);
  await wait(settleMs);
  const memory = memoryOf(node);
  node.kill();
  await node.ended;
  return memory;
}

async function runTrial(
  stage: Stage,
  { setting: { seed }, number, usual }: { setting: Setting; number: number; usual: number },
): Promise<Trial> {
  using place = await stage.place(`parked-${number}`);
  const { databaseUrl } = place;
  await stage.endpoint.begin(`${seed} ${number}`);
  const first = await serveNode(place, { home: place.home, databaseUrl });
  await first.submit();
  const asked = await untilAsked(first, stage.tasks);
  await wait(settleMs);
  const each = (memoryOf(first) - usual) / (asked.length - few);
  // Some are answered, and the process dies while they wake.
  const dice = diceOf("parked", seed, number);
  const early = asked.slice(0, dice.whole(1, Math.ceil(asked.length / 4)));
  await Promise.all(early.map((id) => first.call(`approvals/${id}`, { decision: "allow" })));
  first.kill();
  await first.ended;
  const second = await serveNode(place, { home: place.home, databaseUrl });
  const still = await untilAsked(second, asked.length - early.length);
  for (let from = 0; from < still.length; from += atOnce) {
    const next = still.slice(from, from + atOnce);
    await Promise.all(next.map((id) => second.call(`approvals/${id}`, { decision: "allow" })));
  }
  const isOver = await untilOver(second);
  second.signal("SIGTERM");
  await second.ended;
  const store = await readStore(place.home, databaseUrl);
  const told = await stage.endpoint.tell();
  const findings = [
    ...judge({ store, told, place, tree: treeOf(place), turns: turnsPerTask, kills: 1 }),
    ...judgeAnswers(store, { asked, still }),
  ];
  if (!isOver) findings.unshift(`it did not end: ${second.stderr.slice(-1_000)}`);
  return {
    told: [`${asked.length} parked, ${Math.round(each)} kB each, ${early.length} answered before the kill`],
    findings,
  };
}

/** Every edit is asked about. */
function parkedJob(tasks: number): string {
  return agentsJob(tasks, {
    permissions: { ask: ["Edit(part-*/**)"] },
    limits: { concurrency: tasks, usd: 10_000, time: "10h" },
  });
}

/** Ids of the questions that wait, once there are so many; or after a time in which no more came. */
async function untilAsked(node: ServedNode, count: number): Promise<string[]> {
  let found: string[] = [];
  for (const end = Date.now() + longestMs; found.length < count && Date.now() < end; await wait(500)) {
    found = [];
    for (let cursor: string | undefined; ; ) {
      const more = cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const { data, next_cursor } = page.parse(await node.call(`approvals?state=pending&limit=200${more}`));
      found.push(...data.map(({ id }) => id));
      if (!next_cursor) break;
      cursor = next_cursor;
    }
  }
  return found;
}

async function untilOver(node: ServedNode): Promise<boolean> {
  for (const end = Date.now() + longestMs; Date.now() < end; await wait(500)) {
    const job = z.object({ state: z.string() }).parse(await node.call("jobs/last"));
    if (job.state === "finished") return true;
  }
  return false;
}

/** Each question was asked once, is still the same after the restart, and was answered once. */
function judgeAnswers({ events, approvals }: Store, { asked, still }: { asked: string[]; still: string[] }): string[] {
  const known = new Set(asked);
  const others = still.filter((id) => !known.has(id));
  const resolved = Map.groupBy(
    events.flatMap((event) => (event.type === "approval.resolved" ? [event.data.approval_id] : [])),
    (id) => id,
  );
  return [
    ...(others.length === 0 ? [] : [`${others.length} questions were asked anew`]),
    ...(approvals.length === asked.length ? [] : [`${approvals.length} questions for ${asked.length} runs`]),
    ...approvals.flatMap(({ id, state }) => {
      const count = resolved.get(id)?.length ?? 0;
      return state === "allowed" && count === 1 ? [] : [`question ${id} is ${state}, resolved ${count} times`];
    }),
  ];
}

/** Resident, in kB, as the kernel counts it. */
function memoryOf({ child }: ServedNode): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1] ?? 0);
}

/** What the job is to come to, made with git alone. */
function treeOf({ repository }: Place): string {
  const script = [
    "export GIT_INDEX_FILE=$(mktemp -u)",
    "for file in part-*/limit.js; do sed -i 's/limit = 10;/limit = 20;/' $file; done",
    "git add -A; git write-tree; git read-tree HEAD; git checkout-index -qfa; rm -f $GIT_INDEX_FILE",
  ];
  return execFileSync("sh", ["-ec", script.join("\n")], { cwd: repository, encoding: "utf8" }).trim();
}
