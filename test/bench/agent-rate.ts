import { join } from "node:path";
import { openSides } from "./agents/both-sides.ts";
import { serveMessages } from "./agents/serve-messages.ts";
import type { Figure } from "./figure.ts";
import { installProgram } from "./installed-program.ts";
import { short } from "./pairs.ts";

/** 50 requests in 6 seconds: 50 a minute, ten times as fast, so that it need not take as long. */
const rate = { perMinute: 500, burst: 50 };
const turns = 4;

/** How much of what an endpoint would let through is used, when it refuses whatever is more. */
export const agentRate: Figure = {
  name: "agent-rate",
  title: "64 agents against a limit of 50 requests in 6 s: throughput / the most that the limit lets through",
  async measure({ directory, isQuick }) {
    const tasks = isQuick ? 24 : 64;
    const { command } = await installProgram(join(directory, "program"));
    const words = ["--rate", String(rate.perMinute), "--burst", String(rate.burst)];
    await using server = await serveMessages({ BENCH_TURNS: turns }, words);
    const sides = await openSides(directory, { server, command, most: tasks });
    const { tally } = await sides.ours(tasks);
    const requests = tasks * turns;
    const idealMs = Math.max(1, ((requests - rate.burst) / rate.perMinute) * 60_000);
    const tookMs = (tally.lastAt ?? Number.NaN) - (tally.firstAt ?? Number.NaN);
    return [
      {
        what: `${tasks} agents of ${turns} turns, none failed: throughput / ideal`,
        unit: "x",
        value: idealMs / tookMs,
        goal: { is: ">=", limit: 0.9 },
        statistic: `one job of ${requests} requests, ${tally.refused} refused on the way`,
        absolute: `${short(tookMs / 1_000)} s / ${short(idealMs / 1_000)} s`,
      },
    ];
  },
};
