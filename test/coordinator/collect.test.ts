import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readdir, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findSetups, findSockets, findSources } from "../../src/coordinator/housekeeping/caches.ts";
import { collect } from "../../src/coordinator/housekeeping/collect.ts";
import { findInRepositories } from "../../src/coordinator/housekeeping/repositories.ts";
import { exportFolder } from "../../src/coordinator/transfer/export-folder.ts";
import { claimRun } from "../../src/db/claim-run.ts";
import { createJob } from "../../src/db/create-job.ts";
import { findJob } from "../../src/db/find-job.ts";
import { withFileLock } from "../../src/db/lock.ts";
import { readArtifact } from "../../src/db/read-artifact.ts";
import { storeArtifact } from "../../src/db/store-artifact.ts";
import type { CollectionReport } from "../../src/protocol/collection.ts";
import { newUuid, runId as runIdOf, taskId } from "../../src/protocol/ids.ts";
import { ownMark } from "../../src/sandbox/process-life.ts";
import { createWorkspace } from "../../src/workspace/workspace.ts";
import { openTestBench, type TestBench, writingTask } from "../support/equipment.ts";
import { emptySpec } from "../support/job.ts";

let bench: TestBench;
beforeAll(async () => {
  bench = await openTestBench({ secrets: { TOKEN: secret } });
});
afterAll(() => bench[Symbol.asyncDispose]());

const dayMs = 86_400_000;

/** So many days from now. */
function gc(order: { keep_ms?: number; keep_jobs?: number; is_dry_run?: boolean; has_unknown?: boolean }, days = 0) {
  const { equipment } = bench;
  const clock = { ...equipment.clock, now: () => Date.now() + days * dayMs };
  return collect({ is_dry_run: false, has_unknown: false, ...order }, { ...equipment, clock });
}

/** Whatever has not ended, now has. */
const endAll = () =>
  bench.equipment.database.orm.execute(
    "update sheaf.jobs set state = 'finished', finished_at = now() where state <> 'finished'",
  );

const counts = ({ rows }: CollectionReport) => Object.fromEntries(rows.map(({ what, count }) => [what, count]));
const names = (folder: string) => readdir(join(bench.equipment.home, folder)).catch((): string[] => []);
const git = (gitDir: string, ...args: string[]) =>
  execFileSync("git", ["--git-dir", gitDir, ...args], { stdio: "pipe" }).toString();

/** A job with a task that wrote a file, and its repository. */
async function landedJob() {
  const { repository, spec } = await bench.repository({ "a.txt": "1\n" });
  const submitted = await bench.coordinator.submit({
    spec: { ...spec, each: [], tasks: [writingTask("one")] },
    repository,
  });
  const result = await submitted.done;
  expect(result.outcome).toBe("succeeded");
  return { ...submitted, repository, result };
}

/** A run whose process was killed, with the workspace it left. The job is active until `endAll`. */
const secret = "an operator's own 4711";

async function leftWorkspace() {
  const { clock, database, writer, home } = bench.equipment;
  const { repository, spec } = await bench.repository({ "a.txt": "1\n", "b.txt": "2\n", "deep/c.txt": "3\n" });
  const job = { spec: { ...emptySpec("left"), base: spec.base }, specSha: "0".repeat(64), traceId: "3".repeat(32) };
  const { jobId, runId: parentId, handle } = await createJob(job, clock, database);
  await claimRun({ runId: parentId, owner: "gone/1" }, clock, database);
  const run = { runId: runIdOf.parse(newUuid(clock)), jobId, epoch: 1, head: 0 };
  const place = { jobId, parentId, parentEpoch: 1, taskId: taskId.parse("one"), step: 0, attempt: 1 };
  const opens = { ...place, kind: "agent" as const, owner: "gone/1", at: new Date() };
  const changed = [{ path: "b.txt", mode: "100644", blob: null }];
  const started = { task_id: place.taskId, step: 0, attempt: 1, agent: "a", scope_sha256: "" };
  await writer.append(
    run,
    [
      { type: "run.started", data: { ...started, base_tree: spec.base.tree } },
      { type: "tool.finished", data: { call_id: "1", tool: "delete", is_error: false, content: "", changed } },
    ],
    { also: { opens } },
  );
  const directory = join(home, "workspaces", `${run.runId}-1`);
  const workspace = await createWorkspace(repository, { directory, tree: spec.base.tree, directories: [""] });
  return { id: jobId, handle, repository, workspace, directory };
}

describe("what a killed process left", () => {
  it("is let alone while its job is active, and kept as a patch before it goes", async () => {
    const { handle, repository, workspace, directory } = await leftWorkspace();
    await writeFile(join(workspace.root, "a.txt"), "one\n");
    await writeFile(join(workspace.root, "new.bin"), Buffer.from([0, 1, 2, 255]));
    await writeFile(join(workspace.root, "secret.txt"), `key ${Buffer.from(secret).toString("base64")}\n`);
    await symlink("/etc/passwd", join(workspace.root, "away"));
    await rm(join(workspace.root, "b.txt"));
    // In a workspace that holds some of its base's files, this says nothing.
    await rm(join(workspace.root, "deep"), { recursive: true });
    const objects = git(repository.gitDir, "count-objects");

    expect(counts(await gc({}, 100))).not.toHaveProperty("workspaces");
    expect(existsSync(directory)).toBe(true);
    await endAll();
    expect(counts(await gc({ is_dry_run: true }))).toMatchObject({ workspaces: 1 });
    expect(existsSync(directory)).toBe(true);
    const report = await gc({});

    expect(counts(report)).toMatchObject({ workspaces: 1 });
    expect(existsSync(directory)).toBe(false);
    const file = join(bench.equipment.home, "salvage", handle, `${basename(directory)}.patch`);
    expect(report).toMatchObject({ salvaged: [{ file }], failed: [] });
    expect(git(repository.gitDir, "count-objects")).toBe(objects);
    const { top } = repository.user;
    execFileSync("git", ["apply", file], { cwd: top });
    const status = execFileSync("git", ["status", "--porcelain"], { cwd: top }).toString();
    expect(status.split("\n").sort()).toEqual(["", " D b.txt", " M a.txt", "?? away", "?? new.bin"]);
    expect(readFileSync(join(top, "a.txt"), "utf8")).toBe("one\n");
    expect(readFileSync(file, "utf8")).toContain(
      "Left out, since it holds a secret that the operator keeps: secret.txt",
    );
  });

  it("goes without a word where nothing in it is new, and stays where its repository is gone", async () => {
    const untouched = await leftWorkspace();
    const orphaned = await leftWorkspace();
    await writeFile(join(orphaned.workspace.root, "a.txt"), "one\n");
    await rm(orphaned.repository.user.top, { recursive: true });
    await endAll();
    const report = await gc({});
    expect(report.salvaged).toEqual([]);
    expect(existsSync(untouched.directory)).toBe(false);
    expect(existsSync(orphaned.directory)).toBe(true);
    expect(report.left).toContainEqual(
      expect.objectContaining({
        what: "workspaces",
        why: expect.stringMatching(/^what it holds could not be salvaged/),
      }),
    );
    // Its job stays with it, whatever rule says that it is past its time: without its rows nobody could ever salvage it.
    const past = await gc({ keep_ms: 0 }, 100);
    expect(past.left).toContainEqual(
      expect.objectContaining({ what: "jobs", why: expect.stringMatching(/^a workspace of it is still there/) }),
    );
    expect(await findJob(orphaned.id, bench.equipment.database)).toBeDefined();
    expect(await findJob(untouched.id, bench.equipment.database)).toBeUndefined();
    await rm(orphaned.directory, { recursive: true });
  });

  it("stays where somebody used it between the search and the removal", async () => {
    const { home, clock, database } = bench.equipment;
    const setup = join(home, "setups", "d".repeat(64));
    const bundled = join(home, "bundled", `${"e".repeat(64)}.git`);
    const socket = join(home, "sandbox", "network", "4194305-1-0123456789ab-x");
    const lock = join((await landedJob()).repository.gitDir, "packed-refs.lock");
    for (const place of [setup, bundled, socket]) await mkdir(place, { recursive: true });
    await writeFile(lock, "");
    const later = { ...clock, now: () => Date.now() + 8 * dayMs };
    const around = { active: [], now: later.now(), lostRefs: new Set<string>() };
    const order = { is_dry_run: false, has_unknown: false };
    const equipment = { ...bench.equipment, clock: later };
    const searches = [findSetups, findSources, findSockets, findInRepositories];
    const found = await Promise.all(searches.map((search) => search({ ...around, order, equipment })));
    const places = [setup, bundled, socket, lock];
    const garbage = found.flatMap((each) => each.garbage).filter(({ name }) => places.includes(name));
    expect(garbage.map(({ name }) => name)).toEqual(places);
    const now = new Date(later.now());
    for (const place of [setup, socket, lock]) await utimes(place, now, now);
    const { base } = (await bench.repository({ "a.txt": "1\n" })).spec;
    const spec = { ...emptySpec("meanwhile"), base: { ...base, repository: bundled } };
    await createJob({ spec, specSha: "0".repeat(64), traceId: "5".repeat(32) }, clock, database);
    for (const each of garbage) expect(await each.remove(), each.name).toHaveProperty("left");
    expect(places.filter((place) => !existsSync(place))).toEqual([]);
    await endAll();
    await rm(lock);
    await rm(socket, { recursive: true });
  });

  it("is told by its age where nothing else tells it: checkouts, half-made things, locks, sockets of the dead", async () => {
    const { home, clock } = bench.equipment;
    const { repository } = await landedJob();
    const places = [
      join(home, "checkouts", newUuid(clock)),
      join(home, "setups", `.draft-${newUuid(clock)}`),
      join(home, "setups", "a".repeat(64)),
      join(home, "sandbox", "network", `4194305-1-${ownMark().split("-")[2]}-x`),
      join(home, "sandbox", "network", "4194304-1-0123456789ab-elsewhere"),
      join(home, "bundled", `${"b".repeat(64)}.git`),
      join(repository.gitDir, "scratch-abcdef"),
      join(repository.gitDir, "worktrees", "gone"),
      join(home, "repositories", `${"c".repeat(64)}.git.new-abcdef`),
    ];
    for (const place of places) await mkdir(place, { recursive: true });
    const lock = join(repository.gitDir, "packed-refs.lock");
    await writeFile(lock, "");
    const there = () => [...places, lock].filter((place) => existsSync(place));
    await gc({});
    expect(there()).toEqual([...places, lock].filter((place) => !place.includes("4194305")));
    const report = await gc({}, 8);
    expect(report.failed).toEqual([]);
    expect(there()).toEqual([]);
  });

  it("stays where nobody knows it, and no link is followed", async () => {
    const { home, clock, folder } = { ...bench.equipment, folder: bench.folder };
    const outside = join(folder, "outside");
    await mkdir(join(outside, newUuid(clock)), { recursive: true });
    const stranger = join(home, "workspaces", `${newUuid(clock)}-1`);
    await mkdir(stranger, { recursive: true });
    await mkdir(join(home, "checkouts", "mine"), { recursive: true });
    await symlink(outside, join(home, "checkouts", newUuid(clock)));
    await rm(join(home, "bundled"), { recursive: true, force: true });
    await symlink(outside, join(home, "bundled"));
    const report = await gc({ keep_ms: 0, has_unknown: true }, 100);
    expect(await readdir(outside)).toHaveLength(1);
    expect(existsSync(stranger)).toBe(true);
    expect(await names("checkouts")).toEqual(["mine"]);
    expect(report.left.map(({ what, why }) => `${what}: ${why}`)).toEqual(
      expect.arrayContaining([
        "workspaces: its job is not in this database",
        "checkouts: no name of a checkout",
        "bundled: it is no folder, and links are not followed",
      ]),
    );
    await rm(join(home, "bundled"));
    await rm(join(home, "checkouts"), { recursive: true });
  });
});

describe("jobs past their time", () => {
  it("all stay where nobody says which to keep, and go only when no rule keeps them", async () => {
    const { database } = bench.equipment;
    const first = await landedJob();
    const second = await landedJob();
    const isThere = async ({ id }: { id: string }) => (await findJob(id, database)) !== undefined;
    const both = async () => [await isThere(first), await isThere(second)];
    await gc({}, 1_000);
    await gc({ keep_ms: 40 * dayMs }, 30);
    await gc({ keep_ms: 10 * dayMs, keep_jobs: 2 }, 30);
    expect(await both()).toEqual([true, true]);
    const preview = await gc({ keep_ms: 10 * dayMs, keep_jobs: 1, is_dry_run: true }, 30);
    expect(preview.rows.find(({ what }) => what === "events and spans")?.bytes).toBeGreaterThan(1_000);
    expect(await both()).toEqual([true, true]);
    const report = await gc({ keep_ms: 10 * dayMs, keep_jobs: 1 }, 30);
    expect(counts(report)).toEqual({ ...counts(report), ...counts(preview) });
    expect(await both()).toEqual([false, true]);
    expect(git(second.repository.gitDir, "for-each-ref", "refs/sheaf")).toContain(second.id);
    // What only the first one had made is gone from its repository, and from the tables.
    const { gitDir } = first.repository;
    expect(git(gitDir, "for-each-ref")).toBe("");
    expect(() => git(gitDir, "cat-file", "-e", first.result.result_tree ?? "")).toThrow();
    expect(() => git(gitDir, "cat-file", "-e", first.result.base_commit)).not.toThrow();
    for (const table of ["events", "spans", "runs", "tasks"]) {
      const asked = `select count(*)::int as n from sheaf.${table} where job_id = '${first.id}'`;
      expect(await database.orm.execute(asked), table).toMatchObject({ rows: [{ n: 0 }] });
    }
  });

  it("leave a job that runs its rows, refs, objects and artifacts", async () => {
    const { database, clock } = bench.equipment;
    const done = await landedJob();
    const orphan = await storeArtifact(Buffer.from(`nobody names this ${newUuid(clock)}`), "text/plain", database);
    const job = { spec: emptySpec("active"), specSha: "0".repeat(64), traceId: "4".repeat(32) };
    const active = await createJob(job, clock, database);
    git(done.repository.gitDir, "update-ref", `refs/sheaf/${active.jobId}/base`, done.result.base_commit);
    const loose = git(done.repository.gitDir, "hash-object", "-w", "--stdin");
    const report = await gc({ keep_ms: 0 }, 100);
    expect(await findJob(done.id, database)).toBeUndefined();
    expect(await findJob(active.jobId, database)).toMatchObject({ state: "running" });
    expect(git(done.repository.gitDir, "for-each-ref", "--format=%(refname)")).toBe(
      `refs/sheaf/${active.jobId}/base\n`,
    );
    expect(() => git(done.repository.gitDir, "cat-file", "-e", loose.trim())).not.toThrow();
    expect(await readArtifact(orphan, database)).toBeDefined();
    expect(report.left).toContainEqual(expect.objectContaining({ what: "artifacts" }));

    await endAll();
    const kept = await storeArtifact(Buffer.from("an output that a log names"), "text/plain", database);
    const { writer } = bench.equipment;
    const again = await createJob({ ...job, spec: emptySpec("naming") }, clock, database);
    const root = await claimRun({ runId: again.runId, owner: "gone/1" }, clock, database);
    if (!root) throw new Error("not claimed");
    await writer.append(root, [{ type: "job.briefed", data: { sha256: kept, sources: [] } }]);
    await endAll();
    await gc({}, 100);
    expect(await readArtifact(orphan, database)).toBeUndefined();
    expect(await readArtifact(kept, database)).toBeDefined();
    expect(() => git(done.repository.gitDir, "cat-file", "-e", loose.trim())).toThrow();
  });

  it("that the database does not know keep their refs, unless whoever asks says otherwise", async () => {
    const { repository, result } = await landedJob();
    const stranger = `refs/sheaf/${newUuid(bench.equipment.clock)}/result`;
    git(repository.gitDir, "update-ref", stranger, result.base_commit);
    const refs = () => git(repository.gitDir, "for-each-ref", "--format=%(refname)");
    expect((await gc({ keep_ms: dayMs, keep_jobs: 1_000 }, 30)).left).toContainEqual(
      expect.objectContaining({ what: "refs" }),
    );
    expect(refs()).toContain(stranger);
    await gc({ keep_ms: 40 * dayMs, keep_jobs: 1_000, has_unknown: true }, 30);
    expect(refs()).toContain(stranger);
    await gc({ keep_ms: dayMs, keep_jobs: 1_000, has_unknown: true }, 30);
    expect(refs()).not.toContain(stranger);
    expect(refs()).not.toBe("");
  });

  it("take their repository with them where what it borrowed from is gone", async () => {
    const { repository } = await landedJob();
    await rm(repository.user.top, { recursive: true });
    await gc({ keep_jobs: 1_000 }, 100);
    expect(existsSync(repository.gitDir)).toBe(true);
    await gc({ keep_ms: 0 }, 100);
    expect(existsSync(repository.gitDir)).toBe(false);
  });
});

it("one collection at a time works in a data folder, and none while that is exported", async () => {
  const { home } = bench.equipment;
  const file = join(bench.folder, "export.tar.gz");
  await withFileLock(join(home, "gc.lock"), async () => {
    await expect(gc({})).rejects.toMatchObject({ code: "locked" });
    const exported = exportFolder({ file, isWhole: false, version: "0" }, bench.equipment);
    await expect(exported).rejects.toMatchObject({ code: "locked" });
  });
});
