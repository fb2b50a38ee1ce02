import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { createJob } from "../../src/db/create-job.ts";
import { findJob } from "../../src/db/find-job.ts";
import { openDatabase } from "../../src/db/open.ts";
import { readPack } from "../../src/db/pack.ts";
import { prepareTemplate } from "../../src/db/template.ts";
import { migrations, template, tickingClock } from "../support/database.ts";
import { emptySpec } from "../support/job.ts";
import { startPostgres, type TestServer } from "../support/postgres.ts";

let folder: string;
let server: TestServer;
beforeAll(async () => {
  server = await startPostgres();
  await prepareTemplate({ template, migrations });
}, 60_000);
afterAll(() => server.close());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sheaf-open-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const clock = tickingClock();
const job = () => ({ spec: emptySpec("kept"), specSha: "0".repeat(64), traceId: "1".repeat(32) });

test("a job is still there when the embedded database is opened again", async () => {
  const options = { folder, template, migrations };
  const first = await openDatabase(options);
  const { jobId } = await createJob(job(), clock, first);
  await first.close();
  await first.close();
  await using again = await openDatabase(options);
  expect((await findJob("kept-1", again))?.id).toBe(jobId);
});

test("half of a database that a crash left behind is thrown away, and an empty folder is no database", async () => {
  await mkdir(join(folder, "database.new-dead", "base"), { recursive: true });
  await mkdir(join(folder, "database"));
  await using database = await openDatabase({ folder, template, migrations });
  expect(await findJob("last", database)).toBeUndefined();
  expect(await readdir(folder)).toEqual(["database"]);
});

test("a folder that holds something else is refused and left as it is", async () => {
  await mkdir(join(folder, "database"));
  await writeFile(join(folder, "database", "thesis.txt"), "precious");
  await expect(openDatabase({ folder, template, migrations })).rejects.toMatchObject({ code: "configuration" });
  expect(await readFile(join(folder, "database", "thesis.txt"), "utf8")).toBe("precious");
});

test("a database of another PostgreSQL is refused", async () => {
  await mkdir(join(folder, "database"));
  await writeFile(join(folder, "database", "PG_VERSION"), "19\n");
  await expect(openDatabase({ folder, template, migrations })).rejects.toMatchObject({ code: "database_newer" });
});

test("a template that can neither be read nor replaced is done without", async () => {
  const cache = join(folder, "cache");
  await mkdir(join(cache, basename(await prepareTemplate({ template, migrations })), "in the way"), {
    recursive: true,
  });
  const said: string[] = [];
  const onSlowStep = (what: string) => said.push(what);
  await using database = await openDatabase({ folder: join(folder, "a"), template: cache, migrations, onSlowStep });
  expect(await findJob("last", database)).toBeUndefined();
  expect(said).toHaveLength(1);
  expect(await readdir(cache)).toHaveLength(1);
  expect(await readdir(join(folder, "a"))).toEqual(["database"]);
}, 60_000);

test("a damaged template is noticed before anything is made of it", async () => {
  const bytes = await readFile(await prepareTemplate({ template, migrations }));
  const flipped = Buffer.from(bytes);
  flipped.writeUInt8(flipped.readUInt8(400_000) ^ 1, 400_000);
  for (const damaged of [bytes.subarray(0, 5_000), Buffer.alloc(0), flipped]) expect(() => readPack(damaged)).toThrow();
});

test("two processes that open a new PostgreSQL database at once migrate it once", async () => {
  const url = await server.createDatabase();
  const open = () => openDatabase({ url, folder, template, migrations });
  const opened = await Promise.all([open(), open(), open()]);
  const [first] = opened;
  const answer = await first?.orm.execute(sql`select count(*)::int as n from drizzle.__drizzle_migrations`);
  expect(answer).toMatchObject({
    rows: [{ n: (await readdir(migrations)).filter((name) => name.endsWith(".sql")).length }],
  });
  for (const database of opened) await database.close();
});

test.each(["embedded", "server"])("a database that a newer version migrated is refused (%s)", async (which) => {
  const url = which === "server" ? await server.createDatabase() : undefined;
  const options = { url, folder, template, migrations };
  const database = await openDatabase(options);
  await database.orm.execute(
    sql`insert into drizzle.__drizzle_migrations (hash, created_at) values ('future', 99999999999999)`,
  );
  await database.close();
  await expect(openDatabase(options)).rejects.toMatchObject({ code: "database_newer", remedy: expect.any(String) });
});

test("what is wrong with a server is said without its password", async () => {
  const url = new URL(await server.createDatabase());
  const variant = (change: (copy: URL) => void) => {
    const copy = new URL(url);
    change(copy);
    copy.password = copy.password || "hunter2";
    return copy.href;
  };
  const cases = [
    { url: variant((copy) => (copy.port = "1")), code: "database_unavailable", says: "127.0.0.1:1" },
    {
      url: variant((copy) => (copy.hostname = "nowhere.invalid")),
      code: "database_unavailable",
      says: "nowhere.invalid",
    },
    { url: variant((copy) => (copy.password = "hunter2")), code: "credentials", says: "127.0.0.1" },
    { url: variant((copy) => (copy.pathname = "/missing")), code: "configuration", says: "missing" },
    { url: "mysql://root:hunter2@127.0.0.1/x", code: "configuration", says: "DATABASE_URL" },
    { url: "postgres://root:hunter2@:::/x", code: "configuration", says: "DATABASE_URL" },
  ];
  for (const each of cases) {
    const thrown = await openDatabase({ url: each.url, folder, template, migrations }).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: each.code, message: expect.stringContaining(each.says) });
    expect(String(thrown)).not.toMatch(new RegExp(`hunter2|${url.password}`));
  }
});

test("a user who may not create schemas is told so", async () => {
  const url = new URL(await server.createDatabase());
  const owner = await openDatabase({ url: url.href, folder, template, migrations });
  await owner.orm.execute(sql`drop schema drizzle cascade`);
  await owner.orm.execute(sql.raw("drop role if exists guest"));
  await owner.orm.execute(sql.raw("create role guest login password 'guest'"));
  await owner.close();
  url.username = "guest";
  url.password = "guest";
  await expect(openDatabase({ url: url.href, folder, template, migrations })).rejects.toMatchObject({
    code: "credentials",
  });
});

test("a data folder that cannot be made is a clear error", async () => {
  await writeFile(join(folder, "file"), "");
  const home = join(folder, "file", "home");
  await expect(openDatabase({ folder: home, template, migrations })).rejects.toMatchObject({
    message: expect.stringContaining(home),
  });
});
