import { Fault } from "../protocol/failure.ts";
import { mostSteered, steering } from "../protocol/steer.ts";
import { requireJob } from "./find-job.ts";
import type { Verb } from "./verb.ts";
import { oneLine } from "./words.ts";

export const addSteer: Verb = (program, around) => {
  program
    .command("steer")
    .description("Says something to the agents of a running job; each reads it with its next request")
    .argument("<job>", "id, handle or last")
    .argument("<text...>", "what to say; - reads it from stdin")
    .option("--task <id>", "only to the agents of this task (default: to all that have not ended)")
    .addHelpText(
      "after",
      "\nExamples:\n  sheaf steer last 'leave the tests as they are'\n  sheaf steer refactor-3 --task api - < note.md",
    )
    .action(async (name: string, words: string[], { task }: { task?: string }) => {
      const isInput = words.length === 1 && words[0] === "-";
      const said = read(isInput ? (await around.readInput()).trim() : words.join(" "), task);
      await using session = await around.open("steer");
      const job = await requireJob(name, session.coordinator);
      const { tasks } = await session.coordinator.steer(job.id, said);
      const whom = tasks.length === 0 ? "its agents read it" : `read by ${oneLine(tasks.join(", "), 300)}`;
      around.terminal.tell(`${job.handle} is told: ${whom} with the next request`);
    });
};

function read(text: string, task: string | undefined) {
  const parsed = steering.safeParse({ text, ...(task === undefined ? {} : { task }) });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const isTask = issue?.path[0] === "task";
  throw new Fault("usage", `${isTask ? "--task" : "the text"}: ${issue?.message ?? "it cannot be read"}`, {
    remedy: isTask ? "sheaf show names the tasks" : `say it in 1 to ${mostSteered} characters`,
  });
}
