import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Figure } from "./figure.ts";
import { installProgram } from "./installed-program.ts";
import { manyFiles } from "./many-files.ts";
import { measureCommand } from "./measured-command.ts";
import { ratioOfMinima, short, takePairs } from "./pairs.ts";

export const coldStart: Figure = {
  name: "cold-start",
  title: "sheaf run to its first run.started with a fresh data folder / with one that is in use",
  async measure({ directory, isQuick }) {
    const repository = join(directory, "repository");
    await mkdir(repository);
    await manyFiles(repository, 50);
    const { command } = await installProgram(join(directory, "program"));
    const start = (home: string) => untilFirstRun(command, home, repository);
    const pairs = await takePairs(isQuick ? 2 : 9, {
      subject: async (turn) => {
        const home = join(directory, `cold-${turn}`);
        const took = await start(home);
        await rm(home, { recursive: true });
        return took;
      },
      baseline: () => start(join(directory, "warm")),
    });
    return [
      {
        what: "fresh data folder / data folder in use, from the command to its first run, 50 files",
        unit: "x",
        ...ratioOfMinima(pairs),
        goal: { is: "<=", limit: 2 },
        absolute: `${short(Math.min(...pairs.subject))} ms / ${short(Math.min(...pairs.baseline))} ms`,
      },
    ];
  },
};

async function untilFirstRun(program: readonly string[], home: string, repository: string): Promise<number> {
  let took: number | undefined;
  const begun = performance.now();
  const onLine = (line: string) => {
    if (/"type":"run\.started"/.test(line)) took ??= performance.now() - begun;
  };
  const run = ["run", "--codemod", "node-protocol", "--repo", repository, "--output-format", "stream-json"];
  await measureCommand([...program, ...run], { cwd: repository, env: { SHEAF_HOME: home }, onLine });
  if (took === undefined) throw new Error("sheaf run ended without a run.started");
  return took;
}
