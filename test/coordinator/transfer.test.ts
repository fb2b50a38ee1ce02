import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { exportFolder } from "../../src/coordinator/transfer/export-folder.ts";
import { importFolder } from "../../src/coordinator/transfer/import-folder.ts";
import { createJob } from "../../src/db/create-job.ts";
import type { Database } from "../../src/db/database.ts";
import { findJob } from "../../src/db/find-job.ts";
import { openDatabase } from "../../src/db/open.ts";
import { withSnapshot } from "../../src/db/read-tables.ts";
import { storeArtifact } from "../../src/db/store-artifact.ts";
import { patchOf } from "../../src/workspace/diff.ts";
import { openRepository } from "../../src/workspace/repository.ts";
import { migrations, template } from "../support/database.ts";
import { openTestBench, type TestBench, writingTask } from "../support/equipment.ts";
import { openSharedDatabase } from "../support/shared-database.ts";

let bench: TestBench;
beforeAll(async () => {
  bench = await openTestBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

let made = 0;
const fresh = () => join(bench.folder, `made-${++made}`);
const exportOf = (file: string, more: { isWhole?: boolean } = {}) =>
  exportFolder({ file, isWhole: false, version: "0", ...more }, bench.equipment);
const importOf = (file: string, home: string, more: { url?: string; migrations?: string } = {}) =>
  importFolder({ file, home, template, migrations, git: bench.equipment.git, ...more });
const openIn = (home: string) => openDatabase({ folder: home, template, migrations });

/** All rows of all tables, sorted as text. */
const contentOf = (database: Database) =>
  withSnapshot(database, async ({ tables, rows }) => {
    const all: Record<string, string[]> = {};
    for (const table of tables) {
      const lines: string[] = [];
      for await (const line of rows(table)) lines.push(line);
      all[table.name] = lines.sort();
    }
    return all;
  });

async function landedJob() {
  const { repository, spec } = await bench.repository({ "a.txt": "1\n" });
  const { id, done } = await bench.coordinator.submit({ spec: { ...spec, tasks: [writingTask("one")] }, repository });
  return { id, result: await done, top: repository.user.top };
}

it("a data folder comes back as it was, from PostgreSQL into the embedded database and the other way round", async () => {
  const { database, home, git, redact: _ } = bench.equipment;
  const { id, result, top } = await landedJob();
  await storeArtifact(Buffer.from([0, 255, 92, 10, 39, 34]), "application/octet-stream", database);
  await database.orm.execute(
    `update sheaf.events set data = '{"b": "\\u0000 \\ud800 \u2028 \\" \\\\ {},NULL", "a": 1.50}'::json where type = 'task.started'`,
  );
  await mkdir(join(home, "salvage", "x-1"), { recursive: true });
  await writeFile(join(home, "salvage", "x-1", "a.patch"), "kept\n");
  await writeFile(join(home, "token"), "secret-of-this-folder");
  const file = fresh();
  const manifest = await exportOf(file);
  expect(manifest.database.kind).toBe("postgres");
  expect(readFileSync(file).includes("secret-of-this-folder")).toBe(false);
  expect(execFileSync("tar", ["tf", file]).toString()).toMatch(
    /^tables\/.*\nrepositories\/.*\nfiles\/.*\nmanifest\.json\n$/s,
  );

  const there = fresh();
  await importOf(file, there);
  expect((await readdir(there)).sort()).toEqual(["database", "repositories", "salvage"]);
  expect(await readFile(join(there, "salvage", "x-1", "a.patch"), "utf8")).toBe("kept\n");
  {
    await using embedded = await openIn(there);
    expect(await contentOf(embedded)).toEqual(await contentOf(database));
    expect(await findJob(id, embedded)).toMatchObject({ outcome: "succeeded" });
    const repository = await openRepository(top, { home: there, git });
    const patch = await patchOf(repository, result.base_commit, result.result_commit ?? "");
    expect(patch.toString()).toContain("+written by one");
    await repository.close();
    await exportFolder(
      { file: `${file}-2`, isWhole: false, version: "0" },
      { ...bench.equipment, database: embedded, home: there },
    );
  }
  const url = await emptyServer();
  const back = fresh();
  await importOf(`${file}-2`, back, { url });
  await using server = await openDatabase({ url, folder: back, template, migrations });
  expect(await contentOf(server)).toEqual(await contentOf(database));
  expect((await readdir(back)).sort()).toEqual(["repositories", "salvage"]);
});

/** A database with all tables and no row. */
async function emptyServer(): Promise<string> {
  await using opened = await openSharedDatabase();
  const [found] = await opened.orm
    .execute<{ name: string }>("select current_database() as name")
    .then((answer) => (answer as unknown as { rows: { name: string }[] }).rows);
  const { inject } = await import("vitest");
  const url = new URL(inject("postgres"));
  url.pathname = `/${found?.name}`;
  return url.href;
}

it("what the user's repository holds is in it only when asked for, and then it stands alone", async () => {
  const { git } = bench.equipment;
  const { result, top } = await landedJob();
  const [small, whole] = [fresh(), fresh()];
  await exportOf(small);
  await exportOf(whole, { isWhole: true });
  await rename(top, `${top}-away`);
  const has = async (file: string, home = fresh()) => {
    await importOf(file, home);
    const found: string[] = [];
    for (const name of await readdir(join(home, "repositories"))) {
      const gitDir = join(home, "repositories", name);
      for (const [what, oid] of Object.entries({ base: result.base_commit, result: result.result_commit ?? "" })) {
        const { code } = await git(["cat-file", "-e", oid], { gitDir, accept: [0, 1, 128] });
        if (code === 0) found.push(what);
      }
    }
    return found;
  };
  const home = fresh();
  expect(await has(small, home)).toEqual(["result"]);
  expect(await has(whole)).toEqual(["base", "result"]);
  // What cannot be reached along its refs any more is still handed on.
  const again = fresh();
  await using database = await openIn(home);
  const { left_out } = await exportFolder(
    { file: again, isWhole: false, version: "0" },
    { ...bench.equipment, database, home },
  );
  expect(left_out.join()).toContain("is not there any more");
  expect(await has(again)).toEqual(["result"]);
  await rename(`${top}-away`, top);
});

it("nothing is exported while a job has not ended, and no half of a file is left", async () => {
  const { clock, database } = bench.equipment;
  const { spec } = await bench.repository({ "a.txt": "1\n" });
  const job = await createJob({ spec, specSha: "0".repeat(64), traceId: "5".repeat(32) }, clock, database);
  const file = fresh();
  await expect(exportOf(file)).rejects.toMatchObject({
    code: "conflict",
    message: expect.stringContaining(job.handle),
  });
  expect([existsSync(file), existsSync(`${file}.new`)]).toEqual([false, false]);
  await database.orm.execute("update sheaf.jobs set state = 'finished', finished_at = now() where state <> 'finished'");
  await writeFile(`${file}.new`, "of somebody else");
  await expect(exportOf(file)).rejects.toMatchObject({ code: "conflict" });
  expect(readFileSync(`${file}.new`, "utf8")).toBe("of somebody else");
});

it("what is damaged, newer or not empty is refused with its reason, and leaves nothing behind", async () => {
  await landedJob();
  const file = fresh();
  await exportOf(file);
  const bytes = readFileSync(file);
  const before = await readdir(bench.folder);
  const refused = async (change: (copy: Buffer) => Buffer) => {
    const [copy, home] = [fresh(), fresh()];
    await writeFile(copy, change(Buffer.from(bytes)));
    const thrown: unknown = await importOf(copy, home).catch((cause: unknown) => cause);
    await rm(copy);
    expect(await readdir(bench.folder)).toEqual(before);
    return `${(thrown as { code?: string }).code}: ${(thrown as Error).message.replace(copy, "FILE")}`;
  };
  const flipped = (at: number) => (copy: Buffer) => {
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
  };
  const replaced = (from: string, to: string) => (copy: Buffer) => {
    copy.write(to, copy.lastIndexOf(from), "latin1");
    return copy;
  };
  expect(await refused(flipped(700))).toMatch(/^\w+: .*tables\/|could not fill the database/);
  expect(await refused(flipped(bytes.lastIndexOf("PACK") + 20))).toMatch(/^usage: .*/);
  expect(await refused(flipped(10))).toMatch(/^usage: FILE is no whole export of Sheaf: there is no header at byte 0/);
  expect(await refused((copy) => copy.subarray(0, copy.length - 2_000))).toMatch(/^usage: .*breaks off/);
  expect(await refused(replaced("sheaf.export/v1", "sheaf.export/v2"))).toMatch(/^database_newer: /);
  const name = /"name": "(tasks)"/.exec(bytes.toString("latin1"));
  expect(await refused(replaced(name?.[0] ?? "", '"name": "taskz"'))).toMatch(/^usage: .*taskz/);
  const migration = /"migrations": \[\s*"([0-9a-f]{64})"/.exec(bytes.toString("latin1"))?.[1] ?? "";
  expect(await refused(replaced(migration, "f".repeat(64)))).toMatch(/^database_newer: /);

  const home = fresh();
  await mkdir(home);
  await writeFile(join(home, "mine"), "");
  await expect(importOf(file, home)).rejects.toMatchObject({ code: "usage", message: expect.stringContaining("mine") });
  expect(await readdir(home)).toEqual(["mine"]);
});

it("what an earlier version wrote is read, and brought to today's tables", async () => {
  const folder = fresh();
  await mkdir(folder);
  const today = join(folder, "migrations");
  await cp(migrations, today, { recursive: true });
  const journal = join(today, "meta", "_journal.json");
  const { entries, ...rest } = JSON.parse(await readFile(journal, "utf8"));
  const next = { ...entries.at(-1), idx: entries.length, tag: "9999_next", when: entries.at(-1).when + 1 };
  await writeFile(join(today, "9999_next.sql"), "alter table sheaf.jobs add column later text not null default 'yes';");
  await writeFile(journal, JSON.stringify({ ...rest, entries: [...entries, next] }));
  const { id } = await landedJob();
  const [file, home] = [join(folder, "export"), join(folder, "home")];
  await exportOf(file);
  await importOf(file, home, { migrations: today });
  {
    await using database = await openDatabase({ folder: home, template: join(folder, "template"), migrations: today });
    expect(await database.orm.execute(`select later from sheaf.jobs where run_id = '${id}'`)).toMatchObject({
      rows: [{ later: "yes" }],
    });
  }
  const database = await openDatabase({ folder: home, template, migrations: today });
  await using _ = database;
  await exportFolder({ file: `${file}-2`, isWhole: false, version: "0" }, { ...bench.equipment, database, home });
  await expect(importOf(`${file}-2`, join(folder, "older"))).rejects.toMatchObject({ code: "database_newer" });
  expect(existsSync(join(folder, "older"))).toBe(false);
});
