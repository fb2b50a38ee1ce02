import { createCoordinator } from "../../src/coordinator/coordinator.ts";
import { openTestDatabase } from "../support/database.ts";
import type { Asked } from "../support/messages/reply.ts";
import {
  type Call,
  openThinkingBench,
  recordRun,
  type ThinkingBench,
  thinkingTask,
  type Undisturbed,
} from "../support/thinking-job.ts";
import type { Figure } from "./figure.ts";
import { short } from "./pairs.ts";

/** Of a turn: its call and answer, the intent of an edit, its result, and that of a read. */
const factsOfTurn = 5;
const lengths = [125, 250, 500];

/** From the first look into the database to the request of the next turn, with all of its log said once more. */
export const resume: Figure = {
  name: "resume",
  title: "an agent goes on from its log: so many events, to the request of its next turn",
  async measure({ isQuick }) {
    const most = (lengths.at(-1) ?? 0) / factsOfTurn + 1;
    const script = Array.from({ length: most }, (_, turn) => callsOf(turn));
    const heard = { at: 0 };
    const noted = ({ turn }: Asked) => {
      if (turn > 1 && heard.at === 0) heard.at = performance.now();
      return {};
    };
    const options = { openDatabase: openTestDatabase, slow: noted };
    await using thinking = await openThinkingBench(() => [...script, [submit]], options);
    const before = await recordRun(
      thinking.bench,
      { "one/a.txt": "turn 0\n" },
      {
        tasks: [thinkingTask("work", { limits: { turns: most + 2 } })],
      },
    );
    if (before.result.outcome !== "succeeded") throw new Error(`the run to go on with ended: ${before.result.outcome}`);
    const took = new Map<number, number>();
    for (let round = 0; round <= (isQuick ? 1 : 4); round++) {
      for (const length of lengths) {
        const ms = await timeOf(length, { thinking, before, heard });
        // The first one warms what a first time warms.
        if (round > 0) took.set(length, Math.min(ms, took.get(length) ?? Number.POSITIVE_INFINITY));
      }
    }
    const [few = 0, some = 0, many = 0] = lengths.map((length) => took.get(length) ?? Number.NaN);
    const slope = (many - some) / (500 - 250) / ((some - few) / (250 - 125));
    return [
      {
        what: "500 events",
        unit: "ms",
        value: many,
        statistic: `minimum of ${isQuick ? 1 : 4}`,
        absolute: `${short(few)} ms of 125, ${short(some)} ms of 250`,
      },
      {
        what: "an event more, from 250 to 500 / from 125 to 250",
        unit: "x",
        value: slope,
        goal: { is: "<=", limit: 2 },
        statistic: "of those minima",
        absolute: `${short((many - few) / 375)} ms an event`,
      },
    ];
  },
};

const submit: Call = { name: "submit", input: { summary: "done" } };

function callsOf(turn: number): Call[] {
  const content = `turn ${turn + 1}\n${"a line of some length, as files have them\n".repeat(20)}`;
  return [
    { name: "write", input: { file_path: "one/a.txt", content } },
    { name: "read", input: { file_path: "one/a.txt" } },
  ];
}

interface Measured {
  thinking: ThinkingBench;
  before: Undisturbed;
  heard: { at: number };
}

async function timeOf(length: number, { thinking, before, heard }: Measured): Promise<number> {
  const { equipment } = thinking.bench;
  // Its own beginning is a fact as well; the next turn's intent is not in the log.
  await before.recorded.cutAt(length + 1);
  const heir = createCoordinator({ ...equipment, node: "heir" });
  heard.at = 0;
  const start = performance.now();
  const [taken] = await heir.takeUp();
  if (!taken) throw new Error("there is no job to go on with");
  while (heard.at === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  taken.started.cancel();
  await taken.started.done;
  await heir[Symbol.asyncDispose]();
  return heard.at - start;
}
