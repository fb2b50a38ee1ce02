import { requireJob } from "./find-job.ts";
import type { Verb } from "./verb.ts";

export const addDiff: Verb = (program, around) => {
  program
    .command("diff")
    .description("A job's result (or one task's work) as a patch on stdout")
    .argument("[job]", "id, handle or last", "last")
    .option("--task <id>", "this task's own work, landed or not")
    .addHelpText("after", "\nExamples:\n  sheaf diff last | less\n  sheaf diff last --task part-2 | git apply --check")
    .action(async (name: string, { task }: { task?: string }) => {
      await using session = await around.open("diff");
      const job = await requireJob(name, session.coordinator);
      await around.terminal.write(await session.coordinator.patch(job.id, { task }));
    });
};
