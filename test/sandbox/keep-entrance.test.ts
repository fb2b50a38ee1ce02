import { chmodSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Sandbox } from "../../src/sandbox/driver.ts";
import { createExternal } from "../../src/sandbox/external.ts";
import { openSandboxed } from "../support/sandboxed.ts";

const order = { timeoutMs: 20_000, signal: new AbortController().signal };

async function lockAndEnter(sandbox: Sandbox, cwd: string): Promise<{ mode: number; said: string }> {
  await sandbox.handOver(cwd);
  await sandbox.run({ ...order, run: "chmod 000 .", cwd });
  const mode = statSync(cwd).mode & 0o7777;
  const next = await sandbox.run({ ...order, run: "echo entered; ls", cwd });
  return { mode, said: next.output.toString() };
}

it("a command that takes everybody's way into its own tree shuts out nobody, whichever driver ran it", async () => {
  using box = openSandboxed();
  expect(await lockAndEnter(box.sandbox, box.tree)).toEqual({ mode: 0o755, said: "entered\n" });
  const folder = mkdtempSync(join(tmpdir(), "sheaf-entrance-"));
  chmodSync(folder, 0o750);
  const external = createExternal({ env: { PATH: "/usr/bin:/bin" }, now: Date.now });
  expect(await lockAndEnter(external, folder)).toEqual({ mode: 0o750, said: "entered\n" });
  rmSync(folder, { recursive: true });
});
