import { readTrace } from "../db/read-trace.ts";
import { result as resultSchema } from "../protocol/result.ts";
import { spanTree } from "../telemetry/span-tree.ts";
import { requireJob } from "./find-job.ts";
import type { Verb } from "./main.ts";
import { renderTree } from "./render-tree.ts";
import { renderVerdict } from "./verdict.ts";

export const addShow: Verb = (program, around) => {
  program
    .command("show")
    .description("The verdict on a job: why, who did what, what was denied and left")
    .argument("[job]", "id, handle or last", "last")
    .option("--tree", "its spans as a tree, with times")
    .option("--output-format <format>", "text or json", "text")
    .addHelpText("after", "\nExamples:\n  sheaf show last\n  sheaf show refactor-3 --tree")
    .action(async (name: string, options: { tree?: boolean; outputFormat: string }) => {
      await using session = await around.open("show");
      const { database } = session.equipment;
      const { terminal } = around;
      const job = await requireJob(name, database);
      if (options.tree) {
        const spans = await readTrace(job.traceId, database);
        if (options.outputFormat === "json") return terminal.print(JSON.stringify(spans, null, 2));
        for (const line of renderTree(spanTree(spans))) terminal.print(line);
        return;
      }
      if (job.result === null) return terminal.print(`${job.handle}  ${job.state}: it has no verdict; sheaf logs ${job.handle}`);
      if (options.outputFormat === "json") return terminal.print(JSON.stringify(job.result, null, 2));
      for (const line of renderVerdict(resultSchema.parse(job.result), terminal, { isFull: true })) terminal.print(line);
    });
};
