import { writeDocument } from "../document/write-document.ts";
import { Fault } from "../protocol/failure.ts";
import { runId } from "../protocol/ids.ts";
import { visible } from "../protocol/visible.ts";
import type { Surroundings } from "./session.ts";

/**
 * Prints a past job as a job file, with what its command line said and the values of its inputs in it. `reference` is
 * an id, a handle or `last`. Throws Fault `unknown_job`.
 */
export async function printJob(reference: string, around: Surroundings): Promise<void> {
  await using session = await around.open("run");
  const job = await session.coordinator.job(reference);
  if (!job)
    throw new Fault("unknown_job", `there is no job ${JSON.stringify(reference)}`, {
      remedy: "sheaf list shows them all",
    });
  const [created] = await session.coordinator.runEvents(runId.parse(job.id), 0);
  const spec = created?.type === "job.created" ? created.data.spec : undefined;
  if (!spec?.written) {
    throw new Fault("usage", `${job.handle} was made by a version of Sheaf that did not keep job files`, {
      remedy: `sheaf show ${job.handle} says what it did`,
    });
  }
  const { repository, ref, commit } = spec.base;
  const lines = [
    `# ${job.handle}, run on ${repository} at ${ref} (${commit.slice(0, 12)}).`,
    "# Files it names are looked for beside this file.",
  ];
  around.terminal.print(
    `${lines.map((line) => visible(line).replaceAll("\n", " ")).join("\n")}\n${writeDocument(spec.written).trimEnd()}`,
  );
}
