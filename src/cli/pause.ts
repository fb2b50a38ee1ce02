import type { JobView } from "../protocol/job-view.ts";
import { requireJob } from "./find-job.ts";
import { waitForOthers } from "./follow-job.ts";
import { restLines, standOf } from "./stand-of.ts";
import type { Terminal } from "./terminal.ts";
import type { Verb } from "./verb.ts";
import { renderVerdict } from "./verdict.ts";

export const addPause: Verb = (program, around) => {
  program
    .command("pause")
    .description("Lays a job aside: what is under way ends its turn or step, nothing new is begun")
    .argument("[job]", "id, handle or last", "last")
    .addHelpText("after", "\nExample:\n  sheaf pause refactor-3    then: sheaf resume refactor-3")
    .action(async (name: string) => {
      await using session = await around.open("pause");
      const { id, handle } = await requireJob(name, session.coordinator);
      await session.coordinator.pause(id);
      const now = await session.coordinator.job(id);
      around.terminal.tell(
        `${handle} is ${now ? standOf(now) : "asked to pause"}; sheaf resume ${handle} goes on with it`,
      );
    });
};

export const addResume: Verb = (program, around, exit) => {
  program
    .command("resume")
    .description("Goes on with a paused job where it was")
    .argument("[job]", "id, handle or last", "last")
    .addHelpText(
      "after",
      "\nExample:\n  sheaf resume refactor-3\n\nWhere no other process does the work, this one does, to its end.",
    )
    .action(async (name: string) => {
      await using session = await around.open("resume", { isLong: true });
      const { coordinator, own } = session;
      const { id, handle } = await requireJob(name, coordinator);
      await coordinator.resume(id);
      around.terminal.tell(`${handle} goes on`);
      if (!own || own.coordinator.running === 0) return;
      const release = around.onSignal(() => void own.coordinator.handBack());
      await own.coordinator.ended(id);
      release();
      exit(sayEnd(await coordinator.job(id), around.terminal));
      await waitForOthers(session, around);
    });
};

/** Answers the exit code. */
function sayEnd(job: JobView | undefined, terminal: Terminal): number {
  if (!job?.result) {
    for (const line of job ? restLines(job) : []) terminal.tell(line);
    return notEnded;
  }
  for (const line of renderVerdict(job.result, terminal, { isFull: false })) terminal.print(line);
  return job.result.exit_code;
}

/** EX_TEMPFAIL: it can be gone on with. */
const notEnded = 75;
