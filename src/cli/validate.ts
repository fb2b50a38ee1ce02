import { readJobFile } from "../job/read-job-file.ts";
import { resolveOrder } from "../job/resolve-job.ts";
import type { Verb } from "./verb.ts";

export const addValidate: Verb = (program, around) => {
  program
    .command("validate")
    .description("Reads a job file and everything it names; says every mistake with its place")
    .argument("[file]", "job file", "sheaf.yaml")
    .addHelpText("after", "\nExample:\n  sheaf validate refactor.yaml")
    .action(async (file: string) => {
      const source = await readJobFile(file, { cwd: around.cwd });
      const order = await resolveOrder(source, { cwd: around.cwd });
      const steps = order.each.length + order.tasks.reduce((sum, task) => sum + task.steps.length, 0);
      around.terminal.print(`${file} is valid: ${order.name}, ${steps} steps, ${order.checks.length} checks`);
    });
};
