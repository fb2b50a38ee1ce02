import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { plantRepository } from "../../support/equipment.ts";
import type { Tally } from "../../support/messages/take.ts";
import { type Cost, measureCommand } from "../measured-command.ts";
import { freshHome, writeJob } from "./agents-job.ts";
import { writeParts } from "./parts.ts";
import { watchPeakMemory } from "./peak-memory.ts";
import type { ServedMessages } from "./serve-messages.ts";

/** The same agents with the same turns against the same server: as a job of ours, and as a plain loop. */
export interface Measured extends Cost {
  peakMb: number;
  /** From the command to its first model request. */
  firstMs: number;
  tally: Tally;
}

interface More {
  env?: Readonly<Record<string, string>>;
  /** Called with the id of the shell that starts it. */
  onStart?: (shell: number) => void;
}

export interface Sides {
  ours(agents: number, more?: More): Promise<Measured>;
  plain(agents: number): Promise<Measured>;
}

const loop = join(import.meta.dirname, "plain-loop.ts");
const ended = z.object({ outcome: z.enum(["succeeded", "no_changes"]) });

/** `most`: as many parts as there will ever be agents. */
export async function openSides(
  directory: string,
  { server, command, most }: { server: ServedMessages; command: readonly string[]; most: number },
): Promise<Sides> {
  const repository = join(directory, "repository");
  writeParts(repository, most);
  plantRepository(repository, {});
  const openingFile = join(directory, "opening.json");
  const measure = async (words: readonly string[], { env = {}, onStart }: More) => {
    await server.reset();
    const memory = watchPeakMemory();
    const started = (shell: number) => {
      memory.onStart(shell);
      onStart?.(shell);
    };
    const begun = Date.now();
    const options = { cwd: directory, env: { ...server.env, ...env }, onStart: started };
    const cost = await measureCommand(words, options);
    const tally = await server.tally();
    return { ...cost, peakMb: memory.stop(), firstMs: (tally.firstAt ?? Number.NaN) - begun, tally };
  };
  return {
    async ours(agents, { env = {}, onStart } = {}) {
      const job = await writeJob(join(directory, "jobs"), agents);
      const words = ["run", job, "--repo", repository, "--output-format", "json"];
      const home = await freshHome(directory);
      const measured = await measure([...command, ...words], {
        env: { ...env, SHEAF_HOME: home },
        ...(onStart ? { onStart } : {}),
      });
      ended.parse(JSON.parse(measured.stdout));
      await writeFile(openingFile, JSON.stringify(measured.tally.opening));
      return measured;
    },
    async plain(agents) {
      const folder = join(directory, "plain");
      await mkdir(folder, { recursive: true });
      writeParts(folder, agents);
      return measure([process.execPath, loop, folder, String(agents), openingFile], {});
    },
  };
}
