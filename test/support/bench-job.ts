import { execFileSync } from "node:child_process";
import { submit } from "../../src/coordinator/submit.ts";
import { readJobEvents } from "../../src/db/read-events.ts";
import type { Event } from "../../src/protocol/event.ts";
import type { JobId } from "../../src/protocol/ids.ts";
import type { JobSpec } from "../../src/protocol/job.ts";
import type { Result } from "../../src/protocol/result.ts";
import type { Repository } from "../../src/workspace/repository.ts";
import type { TestBench } from "./equipment.ts";

/** One job from its submission to its end, on a new repository with these files. */
export async function runJobOn(
  bench: TestBench,
  files: Readonly<Record<string, string>>,
  more: Partial<JobSpec>,
): Promise<{ result: Result; repository: Repository; events: Event[] }> {
  const { repository, spec } = await bench.repository(files);
  return { repository, ...(await runSpec(bench, { ...spec, ...more }, repository)) };
}

export async function runSpec(
  bench: TestBench,
  spec: JobSpec,
  repository: Repository,
): Promise<{ result: Result; events: Event[] }> {
  const submitted = await submit({ spec, repository }, bench.equipment);
  if (!("started" in submitted)) throw new Error("the job is not a new one");
  const result = await submitted.started.done;
  return { result, events: await eventsOf(bench, submitted.started.id) };
}

/** The facts of all its runs, as they were stored. */
export async function eventsOf({ equipment }: TestBench, id: JobId): Promise<Event[]> {
  const all: Event[] = [];
  for (let after = 0; ; ) {
    const page = await readJobEvents(id, after, equipment.database);
    all.push(...page.map(({ event }) => event));
    if (page.length === 0) return all;
    after = page.at(-1)?.pos ?? after;
  }
}

/** Reads a file of the tree that landed. */
export function shown({ gitDir }: Repository, { result_commit }: Result): (path: string) => string {
  return (path) => execFileSync("git", ["--git-dir", gitDir, "show", `${result_commit}:${path}`]).toString();
}
