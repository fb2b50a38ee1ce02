import type { Job } from "../job.ts";
import type { FinishedTask } from "../result/finished-task.ts";

/** What a commit of ours says: its subject, and truthful trailers about who had a part in it. */
export function commitMessage(
  subject: string,
  tasks: readonly FinishedTask[],
  { handle }: Pick<Job, "handle">,
): string {
  const agents = new Set(
    tasks.flatMap((task) => task.steps.flatMap((step) => (step.kind === "agent" ? [step.agent.name] : []))),
  );
  const trailers = [
    ...[...agents].map((agent) => `Assisted-by: ${agent}`),
    `Sheaf-Job: ${handle}`,
    ...tasks.map((task) => `Sheaf-Task: ${task.id}`),
  ];
  return `${subject}\n\n${trailers.join("\n")}\n`;
}
