import { setImmediate as nextTick } from "node:timers/promises";
import { array, assert, asyncProperty, integer, record } from "fast-check";
import { describe, expect, it } from "vitest";
import { JobBudget, sumOf } from "../../src/budget/job-budget.ts";
import type { ModelDirectory } from "../../src/coordinator/gate/model-directory.ts";
import type { Job } from "../../src/coordinator/job.ts";
import { usageIn } from "../../src/coordinator/result/open-runs.ts";
import { heldBy } from "../../src/coordinator/spread/held-by.ts";
import { JobBooks } from "../../src/coordinator/spread/job-books.ts";
import type { SpendAnswer, SpendAsk } from "../../src/db/spend-asks.ts";
import type { Event } from "../../src/protocol/event.ts";
import { jobId, runId, taskId } from "../../src/protocol/ids.ts";

/** Tokens alone are limited: nothing here has a price. */
const models: ModelDirectory = { of: () => undefined, refused: () => false };
const job = jobId.parse("01900000-0000-7000-8000-000000000000");
const limit = 1_000;

type Said = Pick<Event, "type" | "data">;

/** One run of another process: its log, its row among the requests, and what its owner is at. */
class GuestRun {
  readonly id: ReturnType<typeof runId.parse>;
  readonly log: Event[] = [];
  epoch = 1;
  n = 0;
  turn = 0;
  spent = 0;
  wanted = 0;
  isWaiting = false;
  state: "idle" | "asked" | "sent" | "over" = "idle";
  /** By owners of it that died in the middle of a call: it was probably billed. */
  lost = 0;
  row: { ask: SpendAsk; answer?: SpendAnswer } | undefined;

  constructor(index: number) {
    this.id = runId.parse(`01900000-0000-7000-8000-0000000001${String(index).padStart(2, "0")}`);
  }

  say(said: Said): void {
    this.log.push({ ...said, run_id: this.id, seq: this.log.length + 1, id: "", at: 0 } as Event);
  }

  tell(wanted: number): void {
    const sums = { spent: { tokens: this.spent, nanoUsd: 0 }, wanted: { tokens: wanted, nanoUsd: 0 } };
    const place = { runId: this.id, jobId: job, taskId: taskId.parse("one"), epoch: this.epoch };
    this.row = { ask: { ...place, n: ++this.n, ...sums } };
  }

  /** The intent is in the log before anybody is asked. */
  ask(wanted: number): void {
    const ask = { input_tokens: wanted, max_tokens: 0 };
    // Nobody begins another turn while one has no answer: what its last owner left is tried again.
    const isAgain = ["turn.started", "turn.retried", "turn.sent"].includes(this.log.at(-1)?.type ?? "");
    const again = { turn: this.turn, attempt: 2, reason: "interrupted", is_billed: true, ask };
    if (isAgain || this.isWaiting) this.say({ type: "turn.retried", data: again });
    else this.say({ type: "turn.started", data: { turn: ++this.turn, model: "own", ask } } as Said);
    Object.assign(this, { wanted, isWaiting: false, state: "asked" });
    this.tell(wanted);
  }

  wait(): void {
    this.isWaiting = true;
    this.say({ type: "turn.waiting", data: { turn: this.turn } });
  }

  take(): void {
    const answer = this.row?.ask.n === this.n && this.row.ask.epoch === this.epoch ? this.row.answer : undefined;
    if (!answer) return;
    if ("refused" in answer) {
      this.say({ type: "turn.failed", data: { turn: this.turn, reason: "no", is_billed: false } });
      this.state = "over";
      return;
    }
    if (this.isWaiting) this.say({ type: "turn.sent", data: { turn: this.turn } });
    Object.assign(this, { isWaiting: false, state: "sent" });
  }

  finish(tokens: number): void {
    const nothing = { output_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0 };
    const usage = { input_tokens: tokens, ...nothing };
    this.say({ type: "turn.finished", data: { turn: this.turn, usage } } as Said);
    this.spent += tokens;
    this.state = "idle";
  }

  /** Whoever has it next knows its log, and nothing else. */
  die(): void {
    if (this.state === "sent") this.lost += this.wanted;
    this.epoch += 1;
    this.n = 0;
    this.spent = sumOf(usageIn(this.log, models)).tokens;
    this.state = "idle";
  }

  /** What endpoints may bill for it. */
  get billed(): number {
    const finished = this.log.reduce(
      (sum, event) => sum + (event.type === "turn.finished" ? event.data.usage.input_tokens : 0),
      0,
    );
    return finished + this.lost + (this.state === "sent" ? this.wanted : 0);
  }
}

/** Whoever has the job: its books are of the logs when it takes over. */
class Owner {
  readonly #books: JobBooks;

  constructor(runs: readonly GuestRun[]) {
    const budget = new JobBudget(job, { tokens: limit }, {});
    for (const { id, log } of runs) budget.presumeElsewhere({ id, task: "one" }, heldBy(log, models));
    const standing = { confirm: async () => {}, giveUp: () => {} };
    this.#books = new JobBooks({ budget, standing, log: async () => {}, root: { epoch: 1 } } as unknown as Job);
  }

  look(runs: readonly GuestRun[]): void {
    for (const { row, epoch } of runs) {
      if (!row || row.answer || row.ask.epoch !== epoch) continue;
      const answer = (given: SpendAnswer | undefined) => {
        if (given) row.answer = given;
      };
      this.#books.answer(row.ask).then(answer, () => {});
    }
  }

  /** What it answers from now on nobody stores: the job has another epoch. */
  die(): void {
    this.#books.close();
  }
}

interface World {
  runs: GuestRun[];
  owner: Owner;
}

const deeds: ((world: World, run: GuestRun, chance: number) => void)[] = [
  (_, run, chance) => {
    if (run.state === "idle") run.ask(1 + (chance % 400));
  },
  ({ runs, owner }) => owner.look(runs),
  (_, run) => run.state === "asked" && run.take(),
  (_, run) => run.state === "asked" && !run.isWaiting && run.wait(),
  (_, run, chance) => {
    if (run.state === "sent") run.finish(chance % (run.wanted + 1));
  },
  (_, run) => run.state === "idle" && run.n > 0 && run.tell(0),
  (_, run) => run.state !== "over" && run.die(),
  (world) => {
    world.owner.die();
    world.owner = new Owner(world.runs);
  },
];

/** Everything goes on, and nobody dies. */
async function settleDown(world: World): Promise<void> {
  for (let round = 0; round < 60; round++) {
    for (const run of world.runs) goOn(run, { isLate: round >= 20 });
    world.owner.look(world.runs);
    await nextTick();
  }
}

function goOn(run: GuestRun, { isLate }: { isLate: boolean }): void {
  if (run.state === "sent") run.finish(run.wanted);
  else if (run.state === "asked") run.take();
  else if (run.state === "idle" && isLate) run.tell(0);
  else if (run.state === "idle") run.ask(100);
}

describe("a budget that several processes spend from", () => {
  it("is never exceeded, whoever dies between any two things that are said, and nobody waits for ever", async () => {
    const step = record({
      deed: integer({ min: 0, max: 23 }),
      run: integer({ min: 0, max: 3 }),
      chance: integer({ min: 0, max: 1_000 }),
    });
    await assert(
      asyncProperty(array(step, { minLength: 20, maxLength: 120 }), async (steps) => {
        const runs = Array.from({ length: 4 }, (_, index) => new GuestRun(index));
        const world: World = { runs, owner: new Owner(runs) };
        const billed = () => runs.reduce((sum, run) => sum + run.billed, 0);
        for (const { deed, run, chance } of steps) {
          // Deaths are rarer than all else.
          const which = deed < 22 ? deed % 6 : deed - 16;
          const at = runs[run];
          if (at) deeds[which]?.(world, at, chance);
          await nextTick();
          expect(billed()).toBeLessThanOrEqual(limit);
        }
        await settleDown(world);
        expect(billed()).toBeLessThanOrEqual(limit);
        expect(runs.filter(({ state }) => state === "asked" || state === "sent")).toEqual([]);
      }),
      { numRuns: 150 },
    );
  }, 30_000);
});
