import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { filesOfPart } from "./parts.ts";

/** The job file of so many agents, each with a part of its own, and a repository for most of them. */
export async function writeJob(directory: string, agents: number): Promise<string> {
  const file = join(directory, `job-${agents}.yaml`);
  const tasks = Array.from({ length: agents }, (_, index) => {
    const part = `part-${index}`;
    return `  - { id: ${part}, items: [${filesOfPart(part).join(", ")}], steps: [{ prompt: "Raise the limits in ${part}." }] }`;
  });
  await mkdir(directory, { recursive: true });
  await writeFile(
    file,
    `version: 1\nmodel: sonnet\npublish: none\nlimits: { concurrency: ${agents}, usd: 1000 }\ntasks:\n${tasks.join("\n")}\n`,
  );
  return file;
}

export async function freshHome(directory: string): Promise<string> {
  const home = join(directory, "home");
  await rm(home, { recursive: true, force: true });
  await mkdir(home, { recursive: true });
  return home;
}
