import { readJobFile } from "../job/read-job-file.ts";
import { inputWords, requiredInputs } from "../job/resolve-inputs.ts";
import { resolveOrder } from "../job/resolve-job.ts";
import type { JobFile } from "../protocol/job-file.ts";
import { collect } from "./options.ts";
import type { Verb } from "./verb.ts";
import { count } from "./words.ts";

export const addValidate: Verb = (program, around) => {
  program
    .command("validate")
    .description("Reads a job file and everything it names; says every mistake with its place")
    .argument("[file]", "job file", "sheaf.yaml")
    .option("--input <name=value>", "the value of an input; repeatable", collect, [])
    .addHelpText("after", "\nExample:\n  sheaf validate refactor.yaml")
    .action(async (file: string, { input }: { input: readonly string[] }) => {
      const source = await readJobFile(file, { cwd: around.cwd });
      const given = inputWords(input);
      const order = await resolveOrder(source, { cwd: around.cwd, inputs: given, hasStandIns: true });
      const { before, each, after, tasks, checks } = order;
      const steps = [...before, ...each, ...after, ...tasks.flatMap((task) => task.steps)];
      const work = order.planner === undefined ? count(steps.length, "step") : "a goal for a planner";
      around.terminal.print(`${file} is valid: ${order.name}, ${work}, ${count(checks.length, "check")}`);
      const unread = unreadIn(source.file);
      if (unread.length > 0)
        around.terminal.tell(`not read: ${unread.join(", ")}; \`sheaf plan\` reads them at the commit it starts from`);
      const missing = requiredInputs(source.file).filter((name) => !Object.hasOwn(given, name));
      if (missing.length > 0)
        around.terminal.tell(`a run needs ${missing.map((name) => `--input ${name}=VALUE`).join(" ")}`);
    });
};

/** Agents that are files of the repository: those that the job names by their path, and those of steps by their name. */
function unreadIn({ agents = {}, before = [], each = [], after = [], tasks = [] }: JobFile): string[] {
  const files = Object.values(agents).flatMap(({ use }) => use ?? []);
  const steps = [...before, ...each, ...after, ...tasks.flatMap((task) => task.steps)];
  const strangers = steps.flatMap(({ agent }) => (agent === undefined || Object.hasOwn(agents, agent) ? [] : agent));
  return [...new Set([...files, ...strangers.map((name) => `the agent ${name}`)])];
}
