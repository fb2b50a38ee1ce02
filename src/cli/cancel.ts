import { requireJob } from "./find-job.ts";
import type { Verb } from "./verb.ts";

export const addCancel: Verb = (program, around) => {
  program
    .command("cancel")
    .description("Stops a job, also one whose process is gone; what is finished is kept")
    .argument("[job]", "id, handle or last", "last")
    .addHelpText("after", "\nExample:\n  sheaf cancel refactor-3")
    .action(async (name: string) => {
      await using session = await around.open("cancel");
      const job = await requireJob(name, session.coordinator);
      if (job.state === "finished") return around.terminal.tell(`${job.handle} had ended: ${job.outcome}`);
      await session.coordinator.cancel(job.id);
      const after = await session.coordinator.job(job.id);
      const what = after?.outcome ? `has ended: ${after.outcome}` : "is asked to stop";
      around.terminal.tell(`${job.handle} ${what}; sheaf show ${job.handle} says what it came to`);
    });
};
