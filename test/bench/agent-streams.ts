import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { openSides } from "./agents/both-sides.ts";
import { childOf } from "./agents/peak-memory.ts";
import { type ServedMessages, serveMessages } from "./agents/serve-messages.ts";
import type { Figure } from "./figure.ts";
import { installProgram } from "./installed-program.ts";
import { short } from "./pairs.ts";

const measured = z.object({ busy: z.number(), p99Ms: z.number() });
const tokensPerSecond = 50;

/** What answers that trickle in cost the thread that does everything else. */
export const agentStreams: Figure = {
  name: "agent-streams",
  title: "so many answers of 50 tokens a second at one time: how busy the main thread is, and how late its timers",
  async measure({ directory, isQuick }) {
    const streams = isQuick ? 40 : 200;
    const seconds = isQuick ? 8 : 20;
    const { command } = await installProgram(join(directory, "program"));
    const told = { BENCH_TURNS: 2, BENCH_STREAM_TOKENS: seconds * tokensPerSecond };
    await using server = await serveMessages({ ...told, BENCH_TOKENS_PER_SECOND: tokensPerSecond });
    const [node = "", ...words] = command;
    const probed = [node, "--import", join(import.meta.dirname, "agents/loop-probe.ts"), ...words];
    const sides = await openSides(directory, { server, command: probed, most: streams });
    const file = join(directory, "probe.json");
    const watching: Promise<void>[] = [];
    const onStart = (shell: number) => void watching.push(between(shell, server, { streams, seconds }));
    await sides.ours(streams, { env: { BENCH_PROBE_FILE: file }, onStart });
    await Promise.all(watching);
    const { busy, p99Ms } = measured.parse(JSON.parse(readFileSync(file, "utf8")));
    const what = `${streams} streams of ${tokensPerSecond} tokens a second`;
    const statistic = `over ${short(seconds / 2)} s in the middle`;
    const goal = (limit: number) => ({ is: "<=" as const, limit });
    return [
      { what: `${what}: main loop busy`, value: busy, unit: "x", goal: goal(0.1), statistic, absolute: "a share of 1" },
      { what: `${what}: p99 lag`, value: p99Ms, unit: "ms", goal: goal(25), statistic, absolute: "timers of 5 ms" },
    ];
  },
};

/** From when all speak until half of what they say is said. */
async function between(
  shell: number,
  server: ServedMessages,
  { streams, seconds }: { streams: number; seconds: number },
): Promise<void> {
  for (let tries = 0; (await server.tally()).open < streams; tries++) {
    if (tries > 1_200) throw new Error(`there were never ${streams} streams at one time`);
    await wait(50);
  }
  await wait(500);
  const pid = childOf(shell);
  process.kill(pid, "SIGUSR2");
  await wait((seconds * 1_000) / 2);
  process.kill(pid, "SIGUSR2");
}
