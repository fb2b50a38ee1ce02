import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Command } from "../../src/sandbox/driver.ts";
import { createExternal } from "../../src/sandbox/external.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sheaf-external-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const sandbox = createExternal({ env: { PATH: "/usr/bin:/bin", GREETING: "hello" }, now: Date.now });
const command = (run: string, more: Partial<Command> = {}): Command => ({
  run,
  cwd: folder,
  timeoutMs: 20_000,
  signal: new AbortController().signal,
  ...more,
});

/** A process is gone, or only waits to be collected by its parent. */
function isGone(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return true;
  try {
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return true;
  }
}

describe("the external driver", () => {
  it("reports exit code and both streams", async () => {
    const ended = await sandbox.run(command("echo out; echo err >&2; exit 3"));
    expect(ended).toMatchObject({ exit: 3, signal: null, isTimedOut: false });
    expect(ended.output.toString()).toContain("out");
    expect(ended.output.toString()).toContain("err");
  });

  it("gives a command nothing of our own environment", async () => {
    const ended = await sandbox.run(command("env"));
    const names = ended.output
      .toString()
      .trim()
      .split("\n")
      .map((line) => line.split("=")[0]);
    expect(names.filter((name) => !["PATH", "GREETING", "PWD", "SHLVL", "_", "OLDPWD"].includes(name ?? ""))).toEqual(
      [],
    );
  });

  it("ends a command that hangs, with all its children", async () => {
    const ended = await sandbox.run(
      command("sleep 300 & echo $! > child; echo $$ > parent; sleep 300", { timeoutMs: 300 }),
    );
    expect(ended.isTimedOut).toBe(true);
    for (const file of ["child", "parent"]) {
      const pid = Number(readFileSync(join(folder, file), "utf8"));
      await expect.poll(() => isGone(pid)).toBe(true);
    }
  });

  it("ends a command that ignores the polite signal", async () => {
    const ended = await sandbox.run(command("trap '' TERM; while :; do sleep 0.1; done", { timeoutMs: 200 }));
    expect(ended).toMatchObject({ isTimedOut: true, signal: "SIGKILL" });
  });

  it("does not wait for a background child that holds the output open, and kills it", async () => {
    const ended = await sandbox.run(command("sleep 300 & echo $! > child; exit 0"));
    expect(ended.exit).toBe(0);
    const pid = Number(readFileSync(join(folder, "child"), "utf8"));
    await expect.poll(() => isGone(pid)).toBe(true);
  });

  it("keeps the head and the tail of a gigabyte and counts the rest", async () => {
    const ended = await sandbox.run(
      command("echo first; head -c 1000000000 /dev/zero | tr '\\0' x; echo last", { timeoutMs: 60_000 }),
    );
    expect(ended.exit).toBe(0);
    expect(ended.outputBytes).toBe(1_000_000_011);
    expect(ended.output.length).toBeLessThan(300 * 1024);
    expect(ended.output.toString()).toMatch(/^first\n[\s\S]*bytes left out[\s\S]*last\n$/);
  });

  it("rejects with the reason of a cancel once the command is gone", async () => {
    const stop = new AbortController();
    const running = sandbox.run(command("echo $$ > pid; sleep 300", { signal: stop.signal }));
    await expect
      .poll(() => existsSync(join(folder, "pid")) && readFileSync(join(folder, "pid"), "utf8") !== "")
      .toBe(true);
    stop.abort(new Error("enough"));
    await expect(running).rejects.toThrow("enough");
    const pid = Number(readFileSync(join(folder, "pid"), "utf8"));
    await expect.poll(() => isGone(pid)).toBe(true);
  });

  it("hands the trace context to the command", async () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const ended = await sandbox.run(command("echo $TRACEPARENT", { traceparent }));
    expect(ended.output.toString().trim()).toBe(traceparent);
  });
});
