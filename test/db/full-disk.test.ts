import { execFile } from "node:child_process";
import { mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openDatabase } from "../../src/db/open.ts";
import { readRunEvents } from "../../src/db/read-events.ts";
import { prepareTemplate } from "../../src/db/template.ts";
import { createWriter } from "../../src/db/writer.ts";
import { runId } from "../../src/protocol/ids.ts";
import { migrations, template, tickingClock } from "../support/database.ts";
import { claimedRuns, note } from "../support/job.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sheaf-full-"));
  await prepareTemplate({ template, migrations });
}, 60_000);
afterEach(() => rm(folder, { recursive: true, force: true }));

/** What fill-disk.ts says when no file may grow past a size; that stands in for a full disk. */
async function fillUnder(limitKilobytes: number): Promise<string[]> {
  const script = fileURLToPath(new URL("../support/fill-disk.ts", import.meta.url));
  const command = `ulimit -f ${limitKilobytes} && exec "$0" "$1" "$2"`;
  const { stdout } = await promisify(execFile)("bash", ["-c", command, process.execPath, script, folder]);
  return stdout.trim().split("\n");
}

test("a disk that fills up refuses appends as storage_full, and all that was acknowledged is there afterwards", async () => {
  const [id, ...answers] = await fillUnder(1_500);
  const acknowledged = answers.filter((answer) => /^\d+$/.test(answer)).map(Number);
  expect(answers.slice(-3)).toEqual(["storage_full", "storage_full", "storage_full"]);
  expect(acknowledged.length).toBeGreaterThan(5);
  await using database = await openDatabase({ folder, template, migrations });
  const log = await readRunEvents(runId.parse(id), 0, database);
  expect(log.map((event) => event.seq)).toEqual([1, ...acknowledged]);
}, 60_000);

test("a disk too full for a new database is said so, and nothing is left that looks like one", async () => {
  expect(await fillUnder(300)).toEqual(["storage_full"]);
  expect(await readdir(folder)).toEqual([]);
}, 60_000);

test("once the embedded database has panicked, every statement fails at once, and the next start recovers", async () => {
  const clock = tickingClock();
  const database = await openDatabase({ folder, template, migrations });
  const { root } = await claimedRuns(0, clock, database);
  const writer = createWriter(clock, database);
  const log = join(folder, "database", "pg_wal");
  await rename(log, `${log}.gone`);
  let written = 1;
  const append = () => writer.append(root, [note(Buffer.from(clock.random(200_000)).toString("base64"))]);
  const fill = async () => {
    for (;;) written = (await append()).firstSeq;
  };
  await expect(fill()).rejects.toMatchObject({ name: "Fault" });
  await expect(append()).rejects.toMatchObject({ name: "Fault" });
  await expect(readRunEvents(root.runId, 0, database)).rejects.toMatchObject({ name: "Fault" });
  await writer.close();
  await database.close();
  await rename(`${log}.gone`, log);
  await using again = await openDatabase({ folder, template, migrations });
  expect(await readRunEvents(root.runId, 0, again)).toHaveLength(written);
}, 60_000);
