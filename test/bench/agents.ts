import { join } from "node:path";
import { type Measured, openSides, type Sides } from "./agents/both-sides.ts";
import { serveMessages } from "./agents/serve-messages.ts";
import type { Figure, Reading } from "./figure.ts";
import { installProgram } from "./installed-program.ts";
import { type Pairs, pick, ratioOfMinima, short } from "./pairs.ts";

/** Turns of each agent: four times a read and an edit but for the last, then submit. */
const turns = 8;

/**
 * What agents cost that think: the whole product against a plain loop over the official SDK, with the same system text,
 * tools, turns and server. Each size of either side in turn.
 */
export const agents: Figure = {
  name: "agents",
  title:
    "sheaf run of N agents that think / a plain single-thread loop over the official SDK, same turns, tools, server",
  async measure({ directory, isQuick }) {
    const sizes = isQuick ? { few: 5, many: 20, most: 50 } : { few: 10, many: 100, most: 500 };
    const { command } = await installProgram(join(directory, "program"));
    await using server = await serveMessages({ BENCH_DELAY_MS: 250, BENCH_TURNS: turns });
    const sides = await openSides(directory, { server, command, most: sizes.most });
    const rounds = isQuick ? 1 : 3;
    await sides.ours(1);
    const cold = await takeRounds(sides, 1, isQuick ? 2 : 5);
    const few = await takeRounds(sides, sizes.few, rounds);
    const many = await takeRounds(sides, sizes.many, rounds);
    const most = await takeRounds(sides, sizes.most, isQuick ? 1 : 2);
    return [
      marginalCpu({ few, many }, sizes),
      ratio(most, perTurn(sizes.most), {
        what: `CPU of a turn, ${sizes.most} agents`,
        unit: "ms",
        limit: 1.7,
      }),
      ratio(many, ({ wallMs }) => wallMs, {
        what: `wall, ${sizes.many} agents, turns of 250 ms`,
        unit: "ms",
        limit: 1.25,
      }),
      ratio(most, ({ wallMs }) => wallMs, {
        what: `wall, ${sizes.most} agents, turns of 250 ms`,
        unit: "ms",
        limit: 0.85,
      }),
      memory({ few, most }, sizes),
      ratio(cold, ({ firstMs }) => firstMs, {
        what: "from the command to its first model request",
        unit: "ms",
        limit: 2.5,
      }),
      cacheShare(many, sizes.many),
      ratio(many, paidPerTurn(sizes.many), {
        what: `input tokens paid for in a turn, ${sizes.many} agents (a read from the cache is 0.1, a write 1.25)`,
        unit: "tokens",
        limit: 1,
      }),
    ];
  },
};

async function takeRounds(sides: Sides, size: number, rounds: number): Promise<Pairs<Measured>> {
  const pairs: Pairs<Measured> = { subject: [], baseline: [] };
  for (let round = 0; round < rounds; round++) {
    pairs.subject.push(await sides.ours(size));
    pairs.baseline.push(await sides.plain(size));
  }
  return pairs;
}

function ratio(
  pairs: Pairs<Measured>,
  quantity: (measured: Measured) => number,
  { what, unit, limit }: { what: string; unit: string; limit: number },
): Reading {
  const picked = pick(pairs, quantity);
  const [ours, plain] = [Math.min(...picked.subject), Math.min(...picked.baseline)];
  const absolute = `${short(ours)} ${unit} / ${short(plain)} ${unit}`;
  return { what, unit: "x", ...ratioOfMinima(picked), goal: { is: "<=", limit }, absolute };
}

const perTurn = (count: number) => (measured: Measured) => measured.cpuMs / (count * turns);

function marginalCpu(
  { few, many }: { few: Pairs<Measured>; many: Pairs<Measured> },
  sizes: { few: number; many: number },
): Reading {
  const more = (sizes.many - sizes.few) * turns;
  const least = (measured: readonly Measured[]) => Math.min(...measured.map(({ cpuMs }) => cpuMs));
  const ours = (least(many.subject) - least(few.subject)) / more;
  const plain = (least(many.baseline) - least(few.baseline)) / more;
  return {
    what: `CPU of a further turn, ${sizes.few} to ${sizes.many} agents`,
    unit: "x",
    value: ours / plain,
    goal: { is: "<=", limit: 1.6 },
    statistic: `of the minima of ${many.subject.length}`,
    absolute: `${short(ours)} ms / ${short(plain)} ms`,
  };
}

function memory(
  { few, most }: { few: Pairs<Measured>; most: Pairs<Measured> },
  sizes: { few: number; most: number },
): Reading {
  const least = (measured: readonly Measured[]) => Math.min(...measured.map(({ peakMb }) => peakMb));
  const perAgent = (side: "subject" | "baseline") => (least(most[side]) - least(few[side])) / (sizes.most - sizes.few);
  return {
    what: `memory of a further agent, ${sizes.few} to ${sizes.most}`,
    unit: "MB",
    value: perAgent("subject"),
    goal: { is: "<=", limit: 2 },
    statistic: "from the smallest peaks",
    absolute: `${short(least(most.subject))} MB at its peak; of a plain loop ${short(perAgent("baseline"))} MB an agent, ${short(least(most.baseline))} MB`,
  };
}

const tokensOf = ({ tally }: Measured) => ({
  fresh: tally.input_tokens,
  written: tally.cache_write_tokens,
  read: tally.cache_read_tokens,
});

function cacheShare({ subject, baseline }: Pairs<Measured>, size: number): Reading {
  const share = (measured: Measured) => {
    const { fresh, written, read } = tokensOf(measured);
    return read / (fresh + written + read);
  };
  return {
    what: `share of the input tokens that is read from the cache, ${size} agents`,
    unit: "x",
    value: Math.min(...subject.map(share)),
    goal: { is: ">=", limit: 0.9 },
    statistic: `minimum of ${subject.length}`,
    absolute: `of a plain loop ${short(Math.min(...baseline.map(share)))}`,
  };
}

const paidPerTurn = (count: number) => (measured: Measured) => {
  const { fresh, written, read } = tokensOf(measured);
  return (fresh + 1.25 * written + 0.1 * read) / (count * turns);
};
