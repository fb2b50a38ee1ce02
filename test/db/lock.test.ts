import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lockFolder } from "../../src/db/lock.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sheaf-lock-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const taker = (pid = process.pid) => ({ pid, command: "sheaf run move.yaml", startedAt: new Date() });

/** Another process that takes the lock, says so, and holds it until it is killed. */
async function startOwner(): Promise<{ child: ChildProcess; said: string }> {
  const program = `
    import { lockFolder } from ${JSON.stringify(new URL("../../src/db/lock.ts", import.meta.url).href)};
    const owner = { pid: process.pid, command: "sheaf serve", startedAt: new Date() };
    globalThis.lock = await lockFolder(${JSON.stringify(folder)}, owner).catch((error) => error);
    console.log(lock.code ?? "held");
    if (!lock.code) setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [said] = await once(child.stdout, "data");
  return { child, said: String(said).trim() };
}

test("the second owner is refused, with the first one's pid and command", async () => {
  using _lock = await lockFolder(folder, taker());
  await expect(lockFolder(folder, taker())).rejects.toMatchObject({
    code: "locked",
    message: expect.stringMatching(new RegExp(`process ${process.pid} \\(sheaf run move.yaml`)),
    remedy: expect.stringContaining(`kill ${process.pid}`),
  });
  expect((await startOwner()).said).toBe("locked");
});

test("a released lock can be taken again", async () => {
  const first = await lockFolder(folder, taker());
  first.release();
  first.release();
  using _second = await lockFolder(folder, taker());
});

test("the lock of a process that was killed is free at once, though its note still names a live pid", async () => {
  const { child, said } = await startOwner();
  expect(said).toBe("held");
  await expect(lockFolder(folder, taker())).rejects.toMatchObject({
    code: "locked",
    message: expect.stringContaining(`process ${child.pid} (sheaf serve`),
  });
  const note = JSON.parse(await readFile(join(folder, "owner.json"), "utf8"));
  child.kill("SIGKILL");
  await once(child, "exit");
  // The pid is in use again, by somebody who has nothing to do with it.
  await writeFile(join(folder, "owner.json"), JSON.stringify({ ...note, pid: process.pid }));
  using _lock = await lockFolder(folder, taker());
});

test("of many who want the lock of a dead process, one gets it", async () => {
  const { child } = await startOwner();
  child.kill("SIGKILL");
  await once(child, "exit");
  const takers = await Promise.all([startOwner(), startOwner(), startOwner(), startOwner()]);
  expect(takers.map((each) => each.said).sort()).toEqual(["held", "locked", "locked", "locked"]);
  for (const each of takers) each.child.kill("SIGKILL");
  await Promise.all(takers.map(({ child: one }) => one.exitCode ?? one.signalCode ?? once(one, "exit")));
});

test("a note that cannot be read does not get in the way", async () => {
  await writeFile(join(folder, "owner.json"), "{");
  using first = await lockFolder(folder, taker());
  await writeFile(join(folder, "owner.json"), "{");
  await expect(lockFolder(folder, taker())).rejects.toMatchObject({
    code: "locked",
    message: expect.stringContaining("another process"),
  });
  first.release();
});

test("a folder that cannot be locked is said to be read only", async () => {
  await writeFile(join(folder, "file"), "");
  await expect(lockFolder(join(folder, "file", "home"), taker())).rejects.toMatchObject({ code: "read_only" });
});
