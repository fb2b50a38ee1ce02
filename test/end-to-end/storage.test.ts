import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDatabase } from "../../src/db/open.ts";
import { migrations, template } from "../support/database.ts";
import { startPostgres, type TestServer } from "../support/postgres.ts";
import { type Called, external, openSheaf, patience, resultOf, type Sheaf } from "../support/sheaf.ts";
import { type Playground, playground } from "../workspace/playground.ts";

/**
 * Disks, locks, deaths and databases: what was acknowledged is there afterwards, and the error says what to do. What
 * locks, dies or has a disk of its own is a process; who comes later, to look, is this one.
 */
let ground: Playground;
let sheaf: Sheaf;

beforeAll(() => {
  ground = playground();
  ground.write("a.js", 'require("fs");\n');
  ground.commit();
  sheaf = openSheaf({ settings: external, inProcess: true });
});
afterAll(async () => {
  await sheaf[Symbol.asyncDispose]();
  await ground[Symbol.asyncDispose]();
});

const codemod = () => ["--codemod", "node-protocol", "--repo", ground.user];

/** Runs the command among mounts of its own, which end with it; undefined where the system lets nobody do that. */
const canMount = spawnSync("unshare", ["-rm", "sh", "-c", "mount -t tmpfs tmpfs /mnt"]).status === 0;
const among = (script: string) => ["unshare", "-rm", "sh", "-ec", script, "sh"];

function expectRefusal(called: Called, code: number, message: RegExp): void {
  expect(called).toMatchObject({ code, stdout: "" });
  expect(called.stderr).toMatch(message);
  expect(called.stderr).not.toMatch(/\n {4}at |node:internal|ZodError|Failed query/);
}

/** A check that waits until the test lets it go on, however long that takes. */
function gate(name: string): { check: string; open(): void } {
  const flag = join(sheaf.folder, name);
  return {
    check: `echo at the gate; until test -e '${flag}'; do sleep 0.1; done`,
    open: () => void sheaf.write(name, ""),
  };
}

describe("a disk", { timeout: patience }, () => {
  it("that is read-only is named, exit 78; a repository on one can be worked on", async () => {
    if (!canMount) {
      const refused = await sheaf.call(["run", ...codemod()], { env: { SHEAF_HOME: "/proc/sheaf" } });
      return expectRefusal(refused, 78, /\/proc\/sheaf[\s\S]*try: .*SHEAF_HOME/);
    }
    const readOnly = (folder: string) =>
      among(`mount --bind "${folder}" "${folder}"; mount -o remount,ro,bind "${folder}"; exec "$@"`);
    const missing = await sheaf.call(["run", ...codemod()], { through: readOnly(sheaf.folder) });
    expectRefusal(missing, 78, /home[\s\S]*try: .*SHEAF_HOME/);
    const run = await sheaf.job([...codemod(), "--publish", "branch=bot"], { through: readOnly(ground.folder) });
    expect(run.result).toMatchObject({ outcome: "error", exit_code: 78, tasks: [{ landed: true }] });
    expect(run.result.reason?.message).toMatch(/[Rr]ead-only/);
    expectRefusal(await sheaf.call(["show"], { through: readOnly(sheaf.folder) }), 78, /home[\s\S]*try: /);
    expectRefusal(await sheaf.call(["apply"], { through: readOnly(ground.folder) }), 78, /[Rr]ead-only/);
    expect(await sheaf.call(["apply", "--branch", "bot"])).toMatchObject({ code: 0 });
  });

  it("that is too full to open the data folder is named, exit 75, and the folder is usable once there is room", async () => {
    await using full = openSheaf({ settings: external, inProcess: true });
    const small = canMount
      ? among(`mount -t tmpfs -o size=4m tmpfs "${full.home}"; exec "$@"`)
      : ["sh", "-c", 'ulimit -f 100; exec "$@"', "sh"];
    expectRefusal(
      await full.call(["run", ...codemod()], { through: small }),
      75,
      /(No space|ENOSPC|EFBIG|too large)[\s\S]*try: /i,
    );
    const limited = ["sh", "-c", 'ulimit -f 100; exec "$@"', "sh"];
    expectRefusal(await full.call(["run", ...codemod()], { through: limited }), 75, /(EFBIG|too large)[\s\S]*try: /i);
    expect((await full.job(codemod())).result.outcome).toBe("succeeded");
  });

  it("that has no room for the patch costs the publishing, exit 75, and not the result", async () => {
    await using large = playground();
    const line = `require("fs"); // ${"x".repeat(1_000)}\n`;
    for (const name of ["a", "b"]) large.write(`${name}.js`, line.repeat(700));
    large.commit();
    // Of one file at most 2 MB: enough for the sources in one piece, not for a patch of every line of them.
    const limited = ["sh", "-c", 'ulimit -f 4096; exec "$@"', "sh"];
    const words = ["--codemod", "node-protocol", "--repo", large.user, "--publish", "patch=too-large.patch"];
    const { result } = await sheaf.job(words, { through: limited });
    expect(result).toMatchObject({ outcome: "error", exit_code: 75, reason: { code: "storage_full" } });
    expect(result.tasks).toMatchObject([{ landed: true, files_changed: 2 }]);
    expect((await sheaf.call(["diff"])).stdout.match(/^\+require\("node:fs"\)/gm)).toHaveLength(1_400);
  });

  it("that fills up in the middle of a run makes it wait, which is said, and it goes on once there is room", async () => {
    if (!canMount) return;
    await using full = openSheaf({ settings: external });
    const [fill, filled] = [join(full.home, "fill"), join(full.folder, "filled")];
    const settings = "printf 'sandbox: { mode: external }' > \"$SHEAF_HOME/sheaf.config.yaml\"";
    const script = [
      `mount -t tmpfs -o size=160m tmpfs "${full.home}"; ${settings}`,
      `( until test -e "${filled}"; do sleep 0.1; done; sleep 3; rm -f "${fill}" ) & "$@"`,
    ].join("\n");
    const check = `cat /dev/zero > '${fill}'; echo > '${filled}'`;
    const { result, stderr } = await full.job([...codemod(), "--check", check], { through: among(script) });
    expect(result).toMatchObject({ outcome: "succeeded", tasks: [{ landed: true }] });
    expect(stderr).toMatch(
      /a disk is full; work waits: .*free some space \(sheaf gc\)[\s\S]*there is room on the disk again/,
    );
  });

  it("that has hardly any room takes no new job, exit 75", async () => {
    if (!canMount) return;
    await using full = openSheaf({ settings: external });
    const script = `mount -t tmpfs -o size=160m tmpfs "${full.home}"; "$1" "$2" "$3" list >&2; head -c 130m /dev/zero > "${full.home}/fill"; "$@"`;
    const refused = await full.call(["run", ...codemod()], { through: among(script) });
    expectRefusal(refused, 75, /MB left[\s\S]*try: free some space \(sheaf gc\)/);
  });
});

describe("a data folder", { timeout: patience }, () => {
  it("has one process that works, and every other command goes through it without being told", async () => {
    const [one, two] = [gate("one"), gate("two")];
    const first = sheaf.start(["run", ...codemod(), "--check", one.check, "--output-format", "json"]);
    await first.shows(/check {2}echo at the gate/);
    const second = sheaf.start(["run", ...codemod(), "--check", two.check, "--output-format", "json"]);
    await second.shows(/check {2}echo at the gate/);
    const handle = /^job {4}(\S+),/m.exec(second.stderr)?.[1] ?? "";
    const [listed, status, logs, doctor] = await Promise.all([
      sheaf.call(["list", "-n", "2"], { asProcess: true }),
      sheaf.call(["status", handle]),
      sheaf.call(["logs", handle, "--output-format", "json"]),
      sheaf.call(["doctor"]),
    ]);
    expect(listed.stdout.match(/ running /g)).toHaveLength(2);
    expect(status).toMatchObject({ code: 0, stdout: expect.stringMatching(/part-1 +succeeded/) });
    expect(
      logs.stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).type),
    ).toContain("check.started");
    expect(doctor).toMatchObject({ code: 0, stdout: expect.stringContaining(`process ${first.child.pid}`) });

    // The first one's own job ends; it stays for the other's.
    one.open();
    await first.shows(/1 job of other commands still run/);
    expect(resultOf({ ...(await sheaf.call(["cancel", handle])), ...(await second.ended) })).toMatchObject({
      outcome: "cancelled",
      exit_code: 130,
    });
    expect(resultOf(await first.ended).outcome).toBe("succeeded");
    two.open();
  });

  it("whose process is killed takes nobody's job along: who followed one goes on with all of them", async () => {
    const { check, open } = gate("left");
    const first = sheaf.start(["run", ...codemod(), "--check", check]);
    await first.shows(/check {2}echo at the gate/);
    const second = sheaf.start(["run", ...codemod(), "--check", check, "--output-format", "json"]);
    await second.shows(/check {2}echo at the gate/);
    first.child.kill("SIGKILL");
    await second.shows(/resume node-protocol-\d+, whose process ended before it did: 1 of 1 tasks are done/);
    open();
    expect(resultOf(await second.ended)).toMatchObject({
      outcome: "succeeded",
      tasks: [{ landed: true }],
    });
    expect((await sheaf.call(["list", "-n", "2"])).stdout.match(/ succeeded /g)).toHaveLength(2);
  });

  it("of a process that was killed opens at once, tells the job as interrupted, and goes on with it when it is run again", async () => {
    const { check, open } = gate("killed");
    const running = sheaf.start(["run", ...codemod(), "--check", check]);
    await running.shows(/check {2}echo at the gate/);
    // What was traced is stored by then (docs/tracing.md).
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    running.child.kill("SIGKILL");
    expect((await running.ended).signal).toBe("SIGKILL");
    expect(existsSync(join(sheaf.home, "owner.json"))).toBe(true);
    const listed = await sheaf.call(["list", "-n", "1"]);
    expect(listed).toMatchObject({ code: 0, stdout: expect.stringMatching(/node-protocol-\d+ +interrupted/) });
    const shown = await sheaf.call(["show"]);
    expect(shown.stdout).toMatch(
      /interrupted: no verdict yet; .*\n {2}no process works on it: it goes on with sheaf serve/,
    );
    expect((await sheaf.call(["status"])).stdout).toMatch(/part-1 +succeeded/);
    expect((await sheaf.call(["diff", "--task", "part-1"])).stdout).toContain('+require("node:fs");');
    expect((await sheaf.call(["show", "--tree"])).stdout).toMatch(/invoke_workflow node-protocol/);
    open();
    const again = await sheaf.job([...codemod(), "--check", check]);
    expect(again.result).toMatchObject({ outcome: "succeeded", tasks: [{ landed: true }] });
    expect(again.stderr).toMatch(/is this very job: it goes on from where it was/);
  });

  it("that can hold no socket works for one command at a time, and says so", async () => {
    await using bare = openSheaf({ settings: external, inProcess: true });
    mkdirSync(join(bare.home, "sheaf.sock"), { recursive: true });
    const { result, stderr } = await bare.job(codemod());
    expect(result.outcome).toBe("succeeded");
    expect(stderr).toMatch(/warning other commands on this data folder have to wait for this one: /);
  });

  it("that a newer version has migrated is left alone, exit 78", async () => {
    await using newer = openSheaf({ settings: external, inProcess: true });
    await newer.call(["list"]);
    await using database = await openDatabase({ folder: newer.home, template, migrations });
    await database.orm.execute(fromTheFuture);
    await database.close();
    expectRefusal(await newer.call(["run", ...codemod()]), 78, /newer version of Sheaf[\s\S]*try: use that version/);
  });
});

const fromTheFuture = sql`insert into drizzle.__drizzle_migrations (hash, created_at) values ('future', 9999999999999)`;

describe("PostgreSQL", { timeout: patience }, () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.close());

  it("holds everything that the embedded database holds, for several processes at a time", async () => {
    const env = { DATABASE_URL: await server.createDatabase(), SHEAF_HOME: join(sheaf.folder, "for postgres") };
    const [one, two] = await Promise.all([
      sheaf.job([...codemod(), "--check", "grep -q node:fs a.js"], { env, asProcess: true }),
      sheaf.job([...codemod(), "--publish", "branch=from-postgres"], { env, asProcess: true }),
    ]);
    expect([one.result.outcome, two.result.outcome]).toEqual(["succeeded", "succeeded"]);
    expect([one.result.job.handle, two.result.job.handle].sort()).toEqual(["node-protocol-1", "node-protocol-2"]);
    const shown = await sheaf.call(["show", one.result.job.handle], { env });
    expect(shown.stdout).toMatch(/^SUCCEEDED[\s\S]*CHECK {2}passed/);
    expect((await sheaf.call(["show", "--tree"], { env })).stdout).toMatch(/invoke_workflow[\s\S]*apply_edits/);
    expect((await sheaf.call(["logs"], { env })).stdout).toMatch(/job\.created[\s\S]*job\.finished/);
    expect((await sheaf.call(["list"], { env })).stdout.match(/succeeded/g)).toHaveLength(2);
    expect(existsSync(join(env.SHEAF_HOME, "database"))).toBe(false);
  });

  it("out of reach, with a wrong password, without that database or too new is told apart, and no password is shown", async () => {
    const url = new URL(await server.createDatabase());
    const at = (change: Partial<Pick<URL, "port" | "password" | "pathname">>) => ({
      DATABASE_URL: Object.assign(new URL(url), change).toString(),
    });
    const call = async (env: Record<string, string>) => {
      const called = await sheaf.call(["list"], { env });
      const { password } = new URL(env.DATABASE_URL ?? "");
      expect(called.stderr).not.toContain(password);
      return called;
    };
    expectRefusal(
      await call(at({ port: "1" })),
      75,
      /PostgreSQL at 127\.0\.0\.1:1[\s\S]*try: check that the database runs/,
    );
    expectRefusal(await call(at({ password: "hunter2" })), 77, /try: check the user and password/);
    expectRefusal(await call(at({ pathname: "/nowhere" })), 78, /"nowhere"[\s\S]*try: create that database/);
    const env = at({});
    expect(await call(env)).toMatchObject({ code: 0 });
    await using database = await openDatabase({ url: env.DATABASE_URL, folder: "", template, migrations });
    await database.orm.execute(fromTheFuture);
    expectRefusal(await call(env), 78, /newer version/);
    const wrong = await sheaf.call(["list"], { env: { DATABASE_URL: "mysql://me:hunter2@host/x" } });
    expectRefusal(wrong, 78, /DATABASE_URL does not start with postgres/);
    expect(wrong.stderr).not.toContain("hunter2");
  });
});
