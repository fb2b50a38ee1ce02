import { chmodSync, mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { copyInto } from "../../src/workspace/copy-folder.ts";
import { removeFolder } from "../../src/workspace/remove-folder.ts";

/** Root is stopped by no permission: as root this test gives up being it. */
const isRoot = process.getuid?.() === 0;
afterEach(() => {
  if (isRoot) process.seteuid?.(0);
});

it("what a setup closed to its own account is copied by an ordinary user, and closed in the copy", async () => {
  if (isRoot) process.seteuid?.(62_001);
  const top = mkdtempSync(join(tmpdir(), "sheaf-copy-"));
  const place = (...names: string[]) => join(top, ...names);
  mkdirSync(place("from", "folder"), { recursive: true });
  for (const name of ["file", "folder/inner"]) writeFileSync(place("from", name), name);
  for (const name of ["file", "folder/inner", "folder"]) chmodSync(place("from", name), 0);
  await copyInto(Buffer.from(place("from")), Buffer.from(place("to")));
  const modes = ["file", "folder"].map((name) => statSync(place("to", name)).mode & 0o777);
  expect(modes).toEqual([0, 0]);
  chmodSync(place("to", "folder"), 0o700);
  chmodSync(place("to", "folder/inner"), 0o600);
  expect(readFileSync(place("to", "folder/inner"), "utf8")).toBe("folder/inner");
  await removeFolder(top);
});
