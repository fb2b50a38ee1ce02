import { type ClaimedRun, claimRun } from "../../src/db/claim-run.ts";
import { createJob } from "../../src/db/create-job.ts";
import type { Database } from "../../src/db/database.ts";
import { createWriter } from "../../src/db/writer.ts";
import type { CommandCheck } from "../../src/protocol/check.ts";
import type { Fact } from "../../src/protocol/event.ts";
import { type Clock, type JobId, runId as newRunId, newUuid, taskId } from "../../src/protocol/ids.ts";
import type { JobSpec, Publish } from "../../src/protocol/job.ts";

/** A job that asks for nothing, for tests that need one to exist. */
export function emptySpec(name: string): JobSpec {
  const commit = "0".repeat(40);
  return {
    name,
    base: { repository: "/tmp/nowhere", ref: "HEAD", commit, tree: commit, is_dirty: false },
    inputs: {},
    split: { by: "none" },
    before: [],
    after: [],
    each: [],
    tasks: [],
    checks: [],
    permissions: { allow: [], deny: [] },
    land: "green",
    publish: { kind: "none" },
    limits: { time_ms: 1_000, idle_ms: 1_000 },
  };
}

/** A check of the folded tree by its exit code, named after its command. */
export function commandCheck(run: string, more: Partial<CommandCheck> = {}): CommandCheck {
  const usual = { at: "tree", expect: "no-new-failures", timeout_ms: 60_000, parse: "exit", retries: 0 } as const;
  return { kind: "command", name: run, run, ...usual, ...more };
}

/** Publishing as a branch that must not be there yet. */
export function newBranch(name: string): Publish {
  return { kind: "branch", name, existing: "refuse", on_base_moved: "keep", group_by: "job" };
}

/** A stored job with its root run and `count` runs of agents, all claimed by "node-a". */
export async function claimedRuns(
  count: number,
  clock: Clock,
  database: Database,
): Promise<{ jobId: JobId; root: ClaimedRun; agents: ClaimedRun[] }> {
  const job = { spec: emptySpec("fixture"), specSha: "0".repeat(64), traceId: "1".repeat(32) };
  const { jobId, runId } = await createJob(job, clock, database);
  const root = await claimRun({ runId, owner: "node-a" }, clock, database);
  if (!root) throw new Error("there is no root run");
  await using writer = createWriter(clock, database);
  const at = new Date(clock.now());
  const begun = Array.from({ length: count }, async (_, index): Promise<ClaimedRun> => {
    const run = { runId: newRunId.parse(newUuid(clock)), jobId, epoch: 1, head: 0 };
    const place = {
      jobId,
      parentId: runId,
      parentEpoch: root.epoch,
      taskId: taskId.parse(`part-${index}`),
      step: 0,
      attempt: 1,
    };
    const opens = { ...place, kind: "agent" as const, owner: "node-a", at };
    await writer.append(run, [], { also: { opens } });
    return run;
  });
  return { jobId, root, agents: await Promise.all(begun) };
}

/** A small fact that carries `text`. */
export function note(text: string): Fact {
  return {
    type: "tool.finished",
    data: { call_id: "call", tool: "read", is_error: false, content: text },
  };
}
