import { Fault } from "../protocol/failure.ts";
import { applyToCheckout, publishBranch } from "../workspace/publish.ts";
import { openJobResult } from "./job-result.ts";
import type { Verb } from "./verb.ts";
import { count } from "./words.ts";

export const addApply: Verb = (program, around) => {
  program
    .command("apply")
    .description("Takes a job's result home: into your working files, or as a branch. Never commits in your checkout.")
    .argument("[job]", "id, handle or last", "last")
    .option("--branch <name>", "make this branch of the result instead; your files stay as they are")
    .addHelpText("after", "\nExamples:\n  sheaf apply last\n  sheaf apply refactor-3 --branch sheaf/refactor-3")
    .action(async (name: string, options: { branch?: string }) => {
      await using session = await around.open("apply");
      const { job, repository, result } = await openJobResult(name, session.equipment, around);
      try {
        if (result === null) throw nothingLanded(job);
        if (options.branch !== undefined) {
          await publishBranch(repository, { branch: options.branch, commit: result, expected: null });
          return around.terminal.print(`branch ${options.branch} is at ${result}`);
        }
        const { paths } = await applyToCheckout(repository, { from: job.baseCommit, to: result });
        around.terminal.print(
          `${count(paths.length, "file")} changed in ${repository.user.top}; nothing is committed or staged`,
        );
      } finally {
        await repository.close();
      }
    });
};

function nothingLanded({ handle, outcome }: { handle: string; outcome: string | undefined }): Fault {
  return new Fault("usage", `job ${handle} landed nothing (${outcome ?? "not finished"})`, {
    remedy: `sheaf show ${handle} says why; the patches of its tasks are kept`,
  });
}
