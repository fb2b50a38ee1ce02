import type { Coordinator } from "../coordinator/coordinator.ts";
import type { JobId } from "../protocol/ids.ts";
import type { JobView } from "../protocol/job-view.ts";
import { spanTree } from "../telemetry/span-tree.ts";
import { requireJob } from "./find-job.ts";
import { formatOption } from "./options.ts";
import { renderTree } from "./render-tree.ts";
import type { Surroundings } from "./session.ts";
import { restLines, standOf } from "./stand-of.ts";
import type { Verb } from "./verb.ts";
import { renderVerdict } from "./verdict.ts";

export const addShow: Verb = (program, around) => {
  program
    .command("show")
    .description("The verdict on a job: why, who did what, what was denied and left")
    .argument("[job]", "id, handle or last", "last")
    .option("--tree", "its spans as a tree, with times")
    .addOption(formatOption(["text", "json"], "text or json"))
    .addHelpText("after", "\nExamples:\n  sheaf show last\n  sheaf show refactor-3 --tree")
    .action(async (name: string, options: { tree?: boolean; outputFormat: string }) => {
      await using session = await around.open("show");
      const { coordinator } = session;
      const job = await requireJob(name, coordinator);
      const shown = options.tree ? await treeOf(job.id, coordinator) : verdictOf(job, around);
      const lines = options.outputFormat === "json" ? [JSON.stringify(shown.document, null, 2)] : shown.lines;
      for (const line of lines) around.terminal.print(line);
    });
};

interface Shown {
  document: unknown;
  lines: string[];
}

async function treeOf(id: JobId, coordinator: Coordinator): Promise<Shown> {
  const spans = await coordinator.trace(id);
  return { document: spans, lines: renderTree(spanTree(spans)) };
}

function verdictOf(job: JobView, { terminal }: Surroundings): Shown {
  const { handle, result } = job;
  if (result === undefined) {
    const line = `${handle}  ${standOf(job)}: no verdict yet; sheaf logs ${handle}`;
    return { document: job, lines: [line, ...restLines(job)] };
  }
  return { document: result, lines: renderVerdict(result, terminal, { isFull: true }) };
}
