import { mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { orphanFindings } from "../../src/cli/doctor-orphans.ts";
import { claimRun } from "../../src/db/claim-run.ts";
import { createJob } from "../../src/db/create-job.ts";
import { newUuid } from "../../src/protocol/ids.ts";
import { ownMark } from "../../src/sandbox/process-life.ts";
import { openTestBench } from "../support/equipment.ts";
import { emptySpec } from "../support/job.ts";

it("doctor names what was left behind and jobs whose process is gone, and removes nothing", async () => {
  await using bench = await openTestBench();
  const { clock, database, home } = bench.equipment;
  expect(await orphanFindings(bench)).toEqual([]);
  // No kernel gives that number to a process (proc(5), pid_max).
  const owners = [`${hostname()}/4194305`, `${hostname()}/${process.pid}`, "another-machine/1"];
  const handles: string[] = [];
  for (const owner of owners) {
    const job = { spec: emptySpec("left"), specSha: "0".repeat(64), traceId: "6".repeat(32) };
    const { runId, handle } = await createJob(job, clock, database);
    await claimRun({ runId, owner }, clock, database);
    handles.push(handle);
  }
  await mkdir(join(home, "sandbox", "network", `4194305-1-${ownMark().split("-")[2]}-x`), { recursive: true });
  await mkdir(join(home, "workspaces", `${newUuid(clock)}-1`), { recursive: true });
  for (let time = 0; time < 2; time++) {
    expect(await orphanFindings(bench)).toEqual([
      {
        state: "note",
        what: `1 job without a living owner on this machine: ${handles[0]}`,
        remedy: expect.any(String),
      },
      { state: "note", what: expect.stringMatching(/^sockets: 1: /), remedy: "sheaf gc" },
      { state: "note", what: "workspaces: 1: its job is not in this database" },
    ]);
  }
});
