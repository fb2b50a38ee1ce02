import { type ClaimedRun, claimRun } from "../../src/db/claim-run.ts";
import { createJob } from "../../src/db/create-job.ts";
import { createRuns } from "../../src/db/create-run.ts";
import type { Database } from "../../src/db/database.ts";
import type { CommandCheck } from "../../src/protocol/check.ts";
import type { Fact } from "../../src/protocol/event.ts";
import { type Clock, type JobId, taskId } from "../../src/protocol/ids.ts";
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
  const wanted = Array.from({ length: count }, (_, index) => ({
    jobId,
    parentId: runId,
    taskId: taskId.parse(`part-${index}`),
    step: 0,
    attempt: 1,
  }));
  const ids = await createRuns(wanted, clock, database);
  const [root, ...agents] = await Promise.all(
    [runId, ...ids].map(async (id) => {
      const run = await claimRun({ runId: id, owner: "node-a" }, clock, database);
      if (!run) throw new Error(`run ${id} could not be claimed`);
      return run;
    }),
  );
  if (!root) throw new Error("there is no root run");
  return { jobId, root, agents };
}

/** A small fact that carries `text`. */
export function note(text: string): Fact {
  return {
    type: "tool.finished",
    data: { call_id: "call", tool: "read", is_error: false, content: text },
  };
}
