import { listJobs } from "../db/find-job.ts";
import { formatOption, wholeNumber } from "./options.ts";
import type { Verb } from "./verb.ts";
import { columns, duration, oneLine } from "./words.ts";

export const addList: Verb = (program, around) => {
  program
    .command("list")
    .description("The jobs of this data folder, newest first")
    .option("-n, --limit <count>", "how many", wholeNumber, 20)
    .addOption(formatOption(["text", "json"], "text or json"))
    .addHelpText("after", "\nExample:\n  sheaf list -n 5")
    .action(async (options: { limit: number; outputFormat: string }) => {
      await using session = await around.open("list");
      const jobs = await listJobs({ limit: Math.min(options.limit, mostJobs) }, session.equipment.database);
      if (options.outputFormat === "json") return around.terminal.print(JSON.stringify(jobs, null, 2));
      if (jobs.length === 0) return around.terminal.tell("no job yet: sheaf run --codemod node-protocol");
      const rows = jobs.map((job) => [
        job.handle,
        job.outcome ?? job.state,
        job.createdAt.toISOString().slice(0, 16).replace("T", " "),
        job.finishedAt ? duration(job.finishedAt.getTime() - job.createdAt.getTime()) : "",
        oneLine(job.repository, 80),
      ]);
      for (const line of columns([["JOB", "OUTCOME", "STARTED (UTC)", "TOOK", "REPOSITORY"], ...rows])) {
        around.terminal.print(line);
      }
    });
};

const mostJobs = 1_000;
