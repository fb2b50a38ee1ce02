import { join } from "node:path";
import { bigRepository, runBigJob } from "./big-job.ts";
import type { Figure, Reading } from "./figure.ts";
import { installProgram } from "./installed-program.ts";
import { type Pairs, pick, ratioOfMinima, short, takePairs } from "./pairs.ts";
import { recipeInPool } from "./recipe-in-pool.ts";

/**
 * What a second thread is worth. The goal is about the recipe in the threads; the whole command is shown beside it: on
 * two cores its git processes, database and main thread compete with the second thread for the second core.
 */
export const recipeThreads: Figure = {
  name: "recipe-threads",
  title: "node-protocol over 10,000 real files: 1 thread / 2 threads, wall",
  async measure({ directory, isQuick }) {
    const { repository, files } = await bigRepository(directory, isQuick);
    const inPool = (threads: number) => recipeInPool(directory, { repository, threads });
    const pooled = await takePairs(isQuick ? 1 : 4, { subject: () => inPool(1), baseline: () => inPool(2) });
    const { command } = await installProgram(join(directory, "program"));
    const run = (threads: number) => runBigJob(command, { home: join(directory, "home"), repository }, { threads });
    const whole = await takePairs(isQuick ? 1 : 3, { subject: () => run(1), baseline: () => run(2) });
    return [
      { ...reading(`in the pool, ${files} files`, pooled), goal: { is: ">=", limit: 1.6 } },
      reading(
        "the whole sheaf run",
        pick(whole, ({ wallMs }) => wallMs),
      ),
    ];
  },
};

function reading(what: string, pairs: Pairs<number>): Reading {
  const absolute = `${short(Math.min(...pairs.subject) / 1_000)} s / ${short(Math.min(...pairs.baseline) / 1_000)} s`;
  return { what, unit: "x", ...ratioOfMinima(pairs), absolute };
}
