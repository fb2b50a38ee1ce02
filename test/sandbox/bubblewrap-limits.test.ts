import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openSandboxed, type Sandboxed } from "../support/sandboxed.ts";

const mebibyte = 2 ** 20;
const limits = { memoryBytes: 256 * mebibyte, processes: 64, scratchBytes: 16 * mebibyte };
let box: Sandboxed;
beforeAll(() => {
  box = openSandboxed({ limits });
});
afterAll(() => box[Symbol.dispose]());

describe("what a command in bubblewrap can take", () => {
  it("is so many processes, however they are made", async () => {
    const bomb =
      "my $n = 0; while (1) { my $p = fork; last unless defined $p; if (!$p) { sleep 60; exit } $n++ } print $n";
    const made = Number(await box.say(["perl", "-e", bomb]));
    expect(made).toBeGreaterThan(40);
    expect(made).toBeLessThan(limits.processes);
    const ended = await box.run("b() { b | b & }; b; sleep 1; echo end", { timeoutMs: 3_000 });
    expect(ended.durationMs).toBeLessThan(20_000);
  });

  it("is so much memory for each process", async () => {
    expect(await box.run(["perl", "-e", `my $x = "x" x ${300 * mebibyte}; print "had it"`])).not.toMatchObject({
      exit: 0,
    });
    expect(await box.run(["perl", "-e", `my $x = "x" x ${100 * mebibyte}; print "had it"`])).toMatchObject({ exit: 0 });
  });

  it("is so much of /tmp, of its home and of shared memory", async () => {
    const fill = (place: string) =>
      `head -c ${64 * mebibyte} /dev/zero > ${place}/a; for i in 1 2 3; do head -c ${8 * mebibyte} /dev/zero > ${place}/$i; done; du -s -B1 ${place} | cut -f1`;
    for (const place of ["/tmp", "~", "/dev/shm"]) {
      const size = Number((await box.say(`(${fill(place)}) 2>/dev/null`)).split("\n").at(-1));
      expect(size).toBeLessThanOrEqual(limits.scratchBytes + mebibyte);
    }
  });

  it("is a file of so many bytes in its tree, full or hollow, and no core", async () => {
    await box.run(`truncate -s 1T hollow; head -c ${64 * mebibyte} /dev/zero > full`);
    expect(statSync(join(box.tree, "hollow")).size).toBeLessThanOrEqual(limits.scratchBytes);
    expect(statSync(join(box.tree, "full")).size).toBeLessThanOrEqual(limits.scratchBytes);
    await box.run("ulimit -c unlimited; ulimit -f unlimited; truncate -s 1T hollow; kill -SEGV $$");
    expect(existsSync(join(box.tree, "core"))).toBe(false);
    expect(statSync(join(box.tree, "hollow")).size).toBeLessThanOrEqual(limits.scratchBytes);
  });

  it("is so much of what it prints", async () => {
    const ended = await box.run("echo first; head -c 100000000 /dev/zero | tr '\\0' x; echo last");
    expect(ended).toMatchObject({ exit: 0, outputBytes: 100_000_011 });
    expect(ended.output.length).toBeLessThan(300 * 1024);
    expect(ended.output.toString()).toMatch(/^first\n[\s\S]*bytes left out[\s\S]*last\n$/);
  });
});
