import { mkdir, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { type Command, Option } from "commander";
import { jobId } from "../protocol/ids.ts";
import type { Result } from "../protocol/result.ts";
import { waitForOthers } from "./follow-job.ts";
import { collect, formatOption } from "./options.ts";
import { askThenRun } from "./plan-first.ts";
import { printJob } from "./print-job.ts";
import { printResult } from "./print-result.ts";
import { openJob, readAsked } from "./read-job.ts";
import { type Reporting, withReports } from "./report.ts";
import { type FollowOptions, type ReadJob, runToEnd } from "./run-to-end.ts";
import type { Session, Surroundings } from "./session.ts";
import type { Verb } from "./verb.ts";

interface RunOptions extends FollowOptions {
  from?: string;
  output?: string;
  reportDir?: string;
  okOn?: string;
  yes?: boolean;
}

export const addRun: Verb = (program, around, exit) => {
  withJobOptions(program.command("run").description("Runs a job: a file, one codemod, or a prompt"))
    .option("--from <job>", "prints a past job as a job file, and runs nothing")
    .option("--publish <how>", "none, patch[=FILE] or branch[=NAME]")
    .option("--locked <file>", "executes the plan that sheaf plan -o FILE wrote, and no other")
    .option("--yes", "ask nothing before a prompt's plan is carried out")
    .addOption(
      formatOption(["text", "json", "stream-json"], "text, json (the result), or stream-json (events as they happen)"),
    )
    .option("-o, --output <file>", "write the result as JSON to this file too")
    .option("--report-dir <dir>", "write the reports here: result.json, junit.xml, summary.md, sheaf.env, patches")
    .option("--idempotency-key <key>", "the same key and job twice is one job")
    .option("--detach", "hand the job to the server and leave; prints its handle")
    .addOption(new Option("--ok-on <outcome>", "leave with 0 on this outcome too").choices(["partial"]))
    .addHelpText(
      "after",
      [
        "",
        "Examples:",
        "  sheaf run --codemod node-protocol",
        "  sheaf run --codemod rules/moment.yml --check 'npm test' --publish branch=bot/moment",
        "  sheaf run -p 'rename getUser to fetchUser, callers included' --max-usd 3",
        "  sheaf run --locked refactor.plan.yaml",
        "  sheaf run refactor.yaml --input from=moment --sample 3",
        "  sheaf run refactor.yaml --output-format json > result.json",
        "  sheaf run --from last > again.yaml",
        "",
        "Exit codes: 0 succeeded or no_changes, 1 failed or unverified, 10 partial, 11 limit, 13 blocked,",
        "  130/143 cancelled, 64 usage, 65 job file, 70 internal, 75 try again, 77 credentials, 78 configuration",
      ].join("\n"),
    )
    .action(async (named: string | undefined, options: RunOptions) => {
      if (options.from !== undefined) return printJob(options.from, around);
      await withReports({ ...options, name: named ?? options.file }, around, async (reporting) => {
        const asked = await readAsked(named, options, around);
        const { source } = asked;
        around.foresee?.();
        const job = { ...(await openJob(source, asked.options, around)), source };
        await using session = await openFor(job, around);
        const place = { session, around };
        const result = await (isAsking(options, around)
          ? askThenRun(asked, job, place)
          : runToEnd(job, asked.options, place));
        if (result === undefined) return;
        await report(result, options, { session, around, reporting });
        exit(options.okOn === result.outcome ? 0 : result.exit_code);
        await waitForOthers(session, around);
      });
    });
};

/** Whoever sits here sees the plan of a prompt before anything of it is done. */
function isAsking({ prompt, yes, detach }: RunOptions, { terminal, config }: Surroundings): boolean {
  return prompt !== undefined && terminal.keyboard !== undefined && !config.isCi && !yes && !detach;
}

/** The coordinator closes the repository with the job; until there is one, whoever fails does. */
export async function openFor(
  { spec, repository }: Pick<ReadJob, "spec" | "repository">,
  around: Surroundings,
): Promise<Session> {
  try {
    const session = await around.open("run", { repository: spec.base.repository, isLong: true });
    // A thread takes as long to start as a job to be stored and planned, and nearly every job needs one.
    session.own?.equipment.pool();
    return session;
  } catch (thrown) {
    await repository.close();
    throw thrown;
  }
}

/** What `run` and `plan` have in common. */
export function withJobOptions(command: Command): Command {
  return command
    .argument("[file]", "job file; without one: sheaf.yaml")
    .option("-f, --file <file>", "the job file, for those who like to name it")
    .option("-p, --prompt <text>", "a goal that is planned and carried out; - reads it from standard input")
    .option(
      "--codemod <name>",
      "node-protocol, no-var, import-type, require-to-import, or an ast-grep rule file (.yml)",
    )
    .option("--check <command>", "a check on the merged tree; repeatable", collect, [])
    .option("--no-checks", "with --prompt: not the checks that are found in the repository")
    .option("--input <name=value>", "the value of an input of the job file; repeatable", collect, [])
    .option("--sample <count>", "only so many of the tasks, evenly spread over them")
    .option("--only <glob>", "only files that this covers")
    .option("--fresh", "do again what an earlier job has done: nothing of it is reused")
    .option("--repo <dir>", "the repository", ".")
    .option("--ref <ref>", "the commit to start from (default: HEAD)")
    .option("--model <model>", "of agents without a model of their own: sonnet, opus, haiku, or the id of one")
    .option("--max-usd <amount>", "most that the job's models may cost, such as 2.50")
    .option("--max-tokens <count>", "most tokens of the whole job")
    .option("--max-turns <count>", "most turns of one run of an agent")
    .option("--concurrency <count>", "most runs at a time")
    .option("--timeout <duration>", "for the whole job, such as 40m")
    .option(
      "--permission-mode <mode>",
      "of calls that no rule covers: ask, deny, or plan (deny all that has an effect)",
    )
    .option("--include-dirty", "take uncommitted changes into the base");
}

/** Printed first: a file that cannot be written must not cost the result. */
async function report(
  result: Result,
  options: RunOptions,
  { session, around, reporting }: { session: Session; around: Surroundings; reporting: Reporting },
): Promise<void> {
  const { terminal, cwd } = around;
  printResult(result, options.outputFormat, terminal);
  const { reach, coordinator } = session;
  // Patch files of a server are on its machine.
  const readPatch = (task: { id: string }) => coordinator.patch(jobId.parse(result.job.id), { task: task.id });
  await reporting.finished(result, reach === "server" ? readPatch : undefined);
  if (options.output === undefined) return;
  const file = resolve(cwd, options.output);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(result, null, 2)}\n`);
}
