import { listTasks } from "../db/list-tasks.ts";
import { Fault } from "../protocol/failure.ts";
import type { JobId } from "../protocol/ids.ts";
import { patchOf } from "../workspace/diff.ts";
import { openJobResult } from "./job-result.ts";
import type { Verb } from "./verb.ts";

export const addDiff: Verb = (program, around) => {
  program
    .command("diff")
    .description("A job's result (or one task's work) as a patch on stdout")
    .argument("[job]", "id, handle or last", "last")
    .option("--task <id>", "this task's own work, landed or not")
    .addHelpText("after", "\nExamples:\n  sheaf diff last | less\n  sheaf diff last --task part-2 | git apply --check")
    .action(async (name: string, options: { task?: string }) => {
      await using session = await around.open("diff");
      const { job, repository, result } = await openJobResult(name, session.equipment, around);
      try {
        const commit =
          options.task === undefined ? result : await taskCommit(job, options.task, session.equipment.database);
        await around.terminal.write(await patchOf(repository, job.baseCommit, required(commit, job.handle)));
      } finally {
        await repository.close();
      }
    });
};

async function taskCommit(job: { id: JobId; handle: string }, task: string, database: Parameters<typeof listTasks>[1]) {
  const tasks = await listTasks(job.id, database);
  const found = tasks.find((each) => each.id === task);
  if (found) return found.resultCommit;
  throw new Fault("usage", `job ${job.handle} has no task ${JSON.stringify(task)}`, {
    remedy: `it has ${tasks
      .map((each) => each.id)
      .slice(0, 20)
      .join(", ")}`,
  });
}

function required(commit: string | null, handle: string): string {
  if (commit !== null) return commit;
  throw new Fault("usage", `nothing of that landed in ${handle}`, {
    remedy: `sheaf show ${handle} says why; sheaf diff ${handle} --task ID shows what one task did`,
  });
}
