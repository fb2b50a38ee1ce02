import { Option } from "commander";
import { Fault } from "../protocol/failure.ts";
import { runId } from "../protocol/ids.ts";
import { canAnswer } from "./can-answer.ts";
import { requireJob } from "./find-job.ts";
import { followJob, waitForOthers } from "./follow-job.ts";
import { collect, formatOption } from "./options.ts";
import { printResult } from "./print-result.ts";
import type { Session, Surroundings } from "./session.ts";
import { takeHome } from "./take-home.ts";
import type { Verb } from "./verb.ts";

interface RetryOptions {
  task: string[];
  fresh?: boolean;
  detach?: boolean;
  outputFormat: string;
  okOn?: string;
}

export const addRetry: Verb = (program, around, exit) => {
  program
    .command("retry")
    .description("Does a job again that is over, as a new job: what succeeded is reused, the rest is done anew")
    .argument("[job]", "id, handle or last", "last")
    .option("--task <id>", "do this task again although it succeeded; repeatable", collect, [])
    .option("--fresh", "do all of it again: nothing is reused")
    .option("--detach", "hand the job to the server and leave; prints its handle")
    .addOption(
      formatOption(["text", "json", "stream-json"], "text, json (the result), or stream-json (events as they happen)"),
    )
    .addOption(new Option("--ok-on <outcome>", "leave with 0 on this outcome too").choices(["partial"]))
    .addHelpText(
      "after",
      "\nExamples:\n  sheaf retry last\n  sheaf retry refactor-3 --task api --task ui\n\nIts exit codes are those of sheaf run.",
    )
    .action(async (name: string, options: RetryOptions) => {
      if (options.fresh && options.task.length > 0) {
        throw new Fault("usage", "--task and --fresh cannot be used together", { remedy: "choose one" });
      }
      await using session = await around.open("retry", { isLong: true });
      const result = await retry(name, options, { session, around });
      if (!result) return;
      printResult(result, options.outputFormat, around.terminal);
      exit(options.okOn === result.outcome ? 0 : result.exit_code);
      await waitForOthers(session, around);
    });
};

async function retry(
  name: string,
  { task, fresh, detach = false, outputFormat }: RetryOptions,
  { session, around }: { session: Session; around: Surroundings },
) {
  const { coordinator } = session;
  const job = await requireJob(name, coordinator);
  if (detach && session.own) {
    throw new Fault("usage", "--detach: this process would do the work itself, and it is leaving", {
      remedy: "start `sheaf serve` on this data folder, or name a server with --server",
    });
  }
  const isHeard = detach || around.terminal.keyboard === undefined || (await canAnswer(session));
  const asked = { ...(fresh ? { fresh } : {}), ...(task.length > 0 ? { tasks: task } : {}) };
  const { traceparent } = around.config;
  const following = { isDetached: detach, isHeard, isStream: outputFormat === "stream-json" };
  const begin = (onFact: NonNullable<Parameters<typeof coordinator.retry>[2]>["onFact"]) =>
    coordinator.retry(job.id, asked, { onFact, traceparent });
  const result = await followJob(begin, following, { session, around });
  if (!result) return undefined;
  const [created] = await coordinator.runEvents(runId.parse(job.id), 0);
  if (created?.type !== "job.created") return result;
  return takeHome(result, created.data.spec, { session, around });
}
