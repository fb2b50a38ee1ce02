import type { Coordinator } from "../coordinator/coordinator.ts";
import type { ApprovalView } from "../protocol/approval.ts";
import { Fault } from "../protocol/failure.ts";
import type { JobView } from "../protocol/job-view.ts";
import { pendingLines } from "./approval-text.ts";
import { requireJob } from "./find-job.ts";
import { formatOption } from "./options.ts";
import { restLines, standOf } from "./stand-of.ts";
import type { Verb } from "./verb.ts";
import { columns, oneLine } from "./words.ts";

export const addStatus: Verb = (program, around) => {
  program
    .command("status")
    .description("One job and its tasks, a line each")
    .argument("[job]", "id, handle or last", "last")
    .addOption(formatOption(["text", "json"], "text or json"))
    .addHelpText("after", "\nExample:\n  sheaf status refactor-3")
    .action(async (name: string, options: { outputFormat: string }) => {
      await using session = await around.open("status");
      const { coordinator } = session;
      const job = await requireJob(name, coordinator);
      const tasks = await coordinator.tasks(job.id);
      const asked = await waiting(job, coordinator);
      if (options.outputFormat === "json") {
        return around.terminal.print(JSON.stringify({ job, tasks, approvals: asked }, null, 2));
      }
      around.terminal.print(`${job.handle}  ${standOf(job)}  ${job.created_at}`);
      const rows = tasks.map((task) => [
        `  ${task.id}`,
        task.landed ? "landed" : (task.state ?? "not finished"),
        oneLine(task.title, 60),
      ]);
      for (const line of [...restLines(job), ...columns(rows), ...pendingLines(asked)]) around.terminal.print(line);
    });
};

/** Whoever may look at a job need not be one who may see what is asked of people. */
async function waiting(job: JobView, coordinator: Coordinator): Promise<ApprovalView[]> {
  if (job.state === "finished") return [];
  try {
    return (await coordinator.approvals({ job: job.id, state: "pending", limit: 50 })).approvals;
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === "credentials") return [];
    throw thrown;
  }
}
