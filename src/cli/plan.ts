import { previewPlan } from "../coordinator/plan.ts";
import { formatOption } from "./options.ts";
import { openPlanThreads } from "./plan-threads.ts";
import { type JobOptions, openJob, readSource } from "./read-job.ts";
import { withJobOptions } from "./run.ts";
import type { Verb } from "./verb.ts";
import { columns, count, oneLine } from "./words.ts";

export const addPlan: Verb = (program, around) => {
  withJobOptions(program.command("plan").description("Shows the tasks a job would be split into, and starts nothing"))
    .addOption(formatOption(["text", "json"], "text or json"))
    .addHelpText("after", "\nExample:\n  sheaf plan refactor.yaml")
    .action(async (named: string | undefined, options: JobOptions & { outputFormat: string }) => {
      const source = await readSource(named, options, around);
      const { spec, repository } = await openJob(source, options, around);
      try {
        await using threads = openPlanThreads(around, repository);
        const plan = await previewPlan({ spec, repository }, threads);
        const tasks = plan.tasks.map(({ steps, ...task }) => ({
          ...task,
          agents: steps.map((step) => (step.kind === "agent" ? step.agent.name : String(step.run))),
        }));
        if (options.outputFormat === "json") {
          return around.terminal.print(JSON.stringify({ ...plan, tasks, base: spec.base }, null, 2));
        }
        const files = tasks.reduce((sum, task) => sum + task.files.length, 0);
        const { ref, commit } = spec.base;
        around.terminal.print(
          `${spec.name}: ${count(tasks.length, "task")}, ${count(files, "file")}, split by ${plan.strategy}, base ${ref} at ${commit.slice(0, 12)}`,
        );
        const rows = tasks.map((task) => [
          `  ${task.id}`,
          count(task.files.length, "file"),
          task.agents.join(", then "),
          oneLine(task.files.slice(0, 3).join(", ") + (task.files.length > 3 ? ", ..." : ""), 100),
        ]);
        for (const line of columns(rows)) around.terminal.print(line);
        for (const { path, reason } of plan.unsplit)
          around.terminal.print(`  left to nobody: ${oneLine(path, 80)}  (${reason})`);
        for (const check of spec.checks)
          around.terminal.print(
            `  check ${oneLine(check.name, 100)}${check.kind === "command" ? `  expect ${check.expect}` : ""}`,
          );
      } finally {
        await repository.close();
      }
    });
};
