import { resolve } from "node:path";
import { Fault } from "../protocol/failure.ts";
import type { JobView } from "../protocol/job-view.ts";
import { applyToCheckout, publishBranch } from "../workspace/publish.ts";
import { openRepository } from "../workspace/repository.ts";
import { requireJob } from "./find-job.ts";
import type { Session, Surroundings } from "./session.ts";
import { fetchResult } from "./take-home.ts";
import type { Verb } from "./verb.ts";
import { count } from "./words.ts";

interface ApplyOptions {
  branch?: string;
  repo: string;
}

export const addApply: Verb = (program, around) => {
  program
    .command("apply")
    .description("Takes a job's result home: into your working files, or as a branch. Never commits in your checkout.")
    .argument("[job]", "id, handle or last", "last")
    .option("--branch <name>", "make this branch of the result instead; your files stay as they are")
    .option("--repo <dir>", "the repository, for a job of another machine's server", ".")
    .addHelpText("after", "\nExamples:\n  sheaf apply last\n  sheaf apply refactor-3 --branch sheaf/refactor-3")
    .action(async (name: string, options: ApplyOptions) => {
      await using session = await around.open("apply");
      const job = await requireJob(name, session.coordinator);
      if (!job.result?.result_commit) throw nothingLanded(job);
      around.terminal.print(await apply(job.result, options, { job, session, around }));
    });
};

async function apply(
  result: NonNullable<JobView["result"]>,
  options: ApplyOptions,
  { job, session, around }: { job: JobView; session: Session; around: Surroundings },
): Promise<string> {
  const { git, config, cwd } = around;
  const isElsewhere = session.reach === "server";
  const path = isElsewhere ? resolve(cwd, options.repo) : job.repository;
  const repository = await openRepository(path, { home: config.home, git, userHome: config.userHome });
  try {
    if (isElsewhere) await fetchResult(result, repository, session.coordinator);
    const commit = String(result.result_commit);
    if (options.branch !== undefined) {
      await publishBranch(repository, { branch: options.branch, commit, expected: null });
      return `branch ${options.branch} is at ${commit}`;
    }
    const { paths } = await applyToCheckout(repository, { from: result.base_commit, to: commit });
    return `${count(paths.length, "file")} changed in ${repository.user.top}; nothing is committed or staged`;
  } finally {
    await repository.close();
  }
}

function nothingLanded({ handle, outcome }: JobView): Fault {
  return new Fault("usage", `job ${handle} landed nothing (${outcome ?? "not finished"})`, {
    remedy: `sheaf show ${handle} says why; the patches of its tasks are kept`,
  });
}
