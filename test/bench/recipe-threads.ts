import { join } from "node:path";
import { bigRepository, runBigJob } from "./big-job.ts";
import type { Figure, Reading } from "./figure.ts";
import { installProgram } from "./installed-program.ts";
import { type Pairs, pick, ratioOfMinima, short, takePairs } from "./pairs.ts";

export const recipeThreads: Figure = {
  name: "recipe-threads",
  title: "sheaf run --codemod node-protocol over 10,000 real files: 1 thread / 2 threads, wall",
  async measure({ directory, isQuick }) {
    const { repository, files } = await bigRepository(directory, isQuick);
    const { command } = await installProgram(join(directory, "program"));
    const run = (threads: number) => runBigJob(command, { home: join(directory, "home"), repository }, { threads });
    const pairs = await takePairs(isQuick ? 1 : 4, { subject: () => run(1), baseline: () => run(2) });
    const whole = pick(pairs, ({ wallMs }) => wallMs);
    const job = pick(pairs, ({ jobMs }) => jobMs);
    return [
      { ...reading(`1 thread / 2 threads, whole command, ${files} files`, whole), goal: { is: ">=", limit: 1.6 } },
      reading("1 thread / 2 threads, from the job's first fact to its last", job),
    ];
  },
};

function reading(what: string, pairs: Pairs<number>): Reading {
  const absolute = `${short(Math.min(...pairs.subject) / 1_000)} s / ${short(Math.min(...pairs.baseline) / 1_000)} s`;
  return { what, unit: "x", ...ratioOfMinima(pairs), absolute };
}
