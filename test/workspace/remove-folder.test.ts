import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { clearAway } from "../../src/coordinator/tasks/clear-away.ts";
import { removeFolder } from "../../src/workspace/remove-folder.ts";

/** Root is stopped by no permission: as root these tests give up being it. */
const isRoot = process.getuid?.() === 0;
afterEach(() => {
  if (isRoot) process.seteuid?.(0);
});

function becomeOrdinary(): void {
  if (isRoot) process.seteuid?.(62_001);
}

it.each([0o000, 0o555, 0o300])(
  "a folder that a command closed (%i) is removed with the many beside it",
  async (mode) => {
    becomeOrdinary();
    const top = mkdtempSync(join(tmpdir(), "sheaf-remove-"));
    for (let at = 0; at < 30; at++) {
      mkdirSync(join(top, `${at}`, "in"), { recursive: true });
      writeFileSync(join(top, `${at}`, "in", "file"), "x");
    }
    const closed = join(top, "closed");
    mkdirSync(join(closed, "below"), { recursive: true });
    writeFileSync(join(closed, "below", "file"), "x");
    for (const folder of [join(closed, "below"), closed]) chmodSync(folder, mode);
    await removeFolder(top);
    expect(existsSync(top)).toBe(false);
  },
);

it("a link in a folder's place goes, and nothing that it leads to", async () => {
  const top = mkdtempSync(join(tmpdir(), "sheaf-remove-"));
  const kept = join(top, "kept");
  mkdirSync(kept);
  writeFileSync(join(kept, "file"), "x");
  mkdirSync(join(top, "folder"));
  for (const link of [join(top, "link"), join(top, "folder", "link")]) symlinkSync(kept, link);
  await removeFolder(join(top, "link"));
  await removeFolder(join(top, "folder"));
  await removeFolder(join(top, "absent"));
  expect(readdirSync(top)).toEqual(["kept"]);
  expect(readdirSync(kept)).toEqual(["file"]);
  await removeFolder(top);
});

it("that a folder cannot be removed is told to the operator and fails nothing", async () => {
  const heard: string[] = [];
  const dispose = async () => Promise.reject(new Error("EBUSY: the disk is busy"));
  await clearAway({ dispose }, { home: "/data/sheaf", warn: (message) => heard.push(message) });
  expect(heard).toEqual([
    "a folder below /data/sheaf could not be removed (sheaf doctor lists what is left): EBUSY: the disk is busy",
  ]);
});

it("a link in the place of a folder is removed, and what it leads to stays", async () => {
  const kept = mkdtempSync(join(tmpdir(), "sheaf-kept-"));
  writeFileSync(join(kept, "file"), "x");
  const link = `${kept}-link`;
  symlinkSync(kept, link);
  await removeFolder(link);
  expect([existsSync(link), readdirSync(kept)]).toEqual([false, ["file"]]);
  await removeFolder(kept);
});
