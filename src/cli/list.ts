import type { Coordinator } from "../coordinator/coordinator.ts";
import type { JobView } from "../protocol/job-view.ts";
import { formatOption, wholeNumber } from "./options.ts";
import { standOf } from "./stand-of.ts";
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
      const jobs = await newest(options.limit, session.coordinator);
      if (options.outputFormat === "json") return around.terminal.print(JSON.stringify(jobs, null, 2));
      if (jobs.length === 0) return around.terminal.tell("no job yet: sheaf run --codemod node-protocol");
      const head = ["JOB", "OUTCOME", "STARTED (UTC)", "TOOK", "REPOSITORY"];
      for (const line of columns([head, ...jobs.map(row)])) around.terminal.print(line);
    });
};

const mostOfPage = 200;

async function newest(limit: number, coordinator: Coordinator): Promise<JobView[]> {
  const all: JobView[] = [];
  for (let after: string | undefined; all.length < limit; ) {
    const page = await coordinator.jobs({ limit: Math.min(limit - all.length, mostOfPage), after });
    all.push(...page.jobs);
    after = page.next;
    if (after === undefined) break;
  }
  return all;
}

function row(job: JobView): string[] {
  return [
    job.handle,
    standOf(job),
    job.created_at.slice(0, 16).replace("T", " "),
    job.finished_at ? duration(Date.parse(job.finished_at) - Date.parse(job.created_at)) : "",
    oneLine(job.repository, 80),
  ];
}
