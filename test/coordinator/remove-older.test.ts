import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { removeOlder } from "../../src/coordinator/resume/go-on.ts";
import { createStanding } from "../../src/coordinator/standing.ts";
import { jobId, runId } from "../../src/protocol/ids.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "sheaf-older-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const id = "0193a000-0000-7000-8000-000000000001";
const run = { runId: runId.parse(id), jobId: jobId.parse("0193a000-0000-7000-8000-000000000002"), epoch: 10, head: 0 };

/** One of each of these owners, with a file in it. */
async function plantFolders(epochs: readonly number[]): Promise<void> {
  for (const epoch of epochs) {
    const files = join(home, "workspaces", `${id}-${epoch}`, "files");
    await mkdir(files, { recursive: true });
    await writeFile(join(files, "a"), "x");
  }
}

const left = async () => (await readdir(join(home, "workspaces"))).toSorted();

it("workspaces of owners before this one go, and never that of a later one", async () => {
  await plantFolders([1, 9, 10, 11]);
  await mkdir(join(home, "workspaces", "another"));
  await removeOlder(run, { job: { standing: createStanding(Date.now) }, equipment: { home } });
  expect(await left()).toEqual([`${id}-10`, `${id}-11`, "another"]);
});

it("whoever has lost the job removes nothing", async () => {
  await plantFolders([9, 10]);
  const standing = createStanding(Date.now);
  standing.giveUp("another node has taken this job");
  await expect(removeOlder(run, { job: { standing }, equipment: { home } })).rejects.toMatchObject({ code: "fenced" });
  expect(await left()).toEqual([`${id}-10`, `${id}-9`]);
});
