import { mkdir, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { type Command, Option } from "commander";
import type { Result } from "../protocol/result.ts";
import { formatOption } from "./options.ts";
import { followProgress } from "./progress.ts";
import { type JobOptions, openJob, readSource } from "./read-job.ts";
import type { Session, Surroundings } from "./session.ts";
import type { Terminal } from "./terminal.ts";
import type { Verb } from "./verb.ts";
import { renderVerdict } from "./verdict.ts";

interface RunOptions extends JobOptions {
  outputFormat: string;
  output?: string;
  okOn?: string;
}

export const addRun: Verb = (program, around, exit) => {
  withJobOptions(program.command("run").description("Runs a job: a file, one codemod, or a prompt"))
    .option("--publish <how>", "none, patch[=FILE] or branch[=NAME]")
    .option("--concurrency <count>", "most runs at a time")
    .option("--timeout <duration>", "for the whole job, such as 40m")
    .addOption(
      formatOption(["text", "json", "stream-json"], "text, json (the result), or stream-json (events as they happen)"),
    )
    .option("-o, --output <file>", "write the result as JSON to this file too")
    .addOption(new Option("--ok-on <outcome>", "leave with 0 on this outcome too").choices(["partial"]))
    .addHelpText(
      "after",
      [
        "",
        "Examples:",
        "  sheaf run --codemod node-protocol",
        "  sheaf run --codemod rules/moment.yml --check 'npm test' --publish branch=bot/moment",
        "  sheaf run refactor.yaml --output-format json > result.json",
        "",
        "Exit codes: 0 succeeded or no_changes, 1 failed or unverified, 10 partial, 11 limit, 13 blocked,",
        "  130/143 cancelled, 64 usage, 65 job file, 70 internal, 75 try again, 77 credentials, 78 configuration",
      ].join("\n"),
    )
    .action(async (named: string | undefined, options: RunOptions) => {
      const source = await readSource(named, options, around);
      const { spec, repository } = await openJob(source, options, around);
      try {
        await using session = await around.open("run", { repository: spec.base.repository });
        const result = await runToEnd({ spec, repository }, options, { session, around });
        exit(options.okOn === result.outcome ? 0 : result.exit_code);
      } finally {
        await repository.close();
      }
    });
};

/** What `run` and `plan` have in common. */
export function withJobOptions(command: Command): Command {
  return command
    .argument("[file]", "job file; without one: sheaf.yaml")
    .option("-f, --file <file>", "the job file, for those who like to name it")
    .option("-p, --prompt <text>", "one task over the whole repository (needs --model scripted/FILE for now)")
    .option("--codemod <name>", "node-protocol, or an ast-grep rule file (.yml)")
    .option("--check <command>", "a check on the merged tree; repeatable", collect, [])
    .option("--repo <dir>", "the repository", ".")
    .option("--ref <ref>", "the commit to start from", "HEAD")
    .option("--model <model>", "for prompt steps without a model of their own")
    .option("--include-dirty", "take uncommitted changes into the base");
}

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

async function runToEnd(
  job: Awaited<ReturnType<typeof openJob>>,
  options: RunOptions,
  { session, around }: { session: Session; around: Surroundings },
): Promise<Result> {
  const { terminal, config, now } = around;
  if (job.spec.checks.length > 0 && !("unavailable" in session.equipment.sandbox)) {
    terminal.tell("warning sandbox.mode is external: checks run as you, on the operator's word that this is a sandbox");
  }
  const progress = followProgress(terminal, now);
  const isStream = options.outputFormat === "stream-json";
  const submitted = await session.coordinator.submit({
    ...job,
    traceparent: config.traceparent,
    onFact(runId, fact) {
      progress.take(runId, fact);
      if (isStream) terminal.print(JSON.stringify({ run_id: runId, ...fact }));
    },
  });
  const release = around.onSignal((signal) => {
    terminal.tell(`${signal}: cancelling; finished work is kept. Once more to leave at once.`);
    void session.coordinator.cancel(submitted.id, { signal });
  });
  try {
    const result = await submitted.done;
    progress.end();
    await report(result, options, around);
    return result;
  } finally {
    progress.end();
    release();
  }
}

/** Printed first: a file that cannot be written must not cost the result. */
async function report(result: Result, options: RunOptions, { terminal, cwd }: Surroundings): Promise<void> {
  print(result, options.outputFormat, terminal);
  if (options.output === undefined) return;
  const file = resolve(cwd, options.output);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(result, null, 2)}\n`);
}

function print(result: Result, format: string, terminal: Terminal): void {
  if (format === "json") terminal.print(JSON.stringify(result, null, 2));
  else if (format === "stream-json") terminal.print(JSON.stringify({ type: "result", result }));
  else for (const line of renderVerdict(result, terminal, { isFull: false })) terminal.print(line);
}
