import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AbsentCheck, Check } from "../../src/protocol/check.ts";
import type { Fact } from "../../src/protocol/event.ts";
import { taskId } from "../../src/protocol/ids.ts";
import { createExternal } from "../../src/sandbox/external.ts";
import { type CheckView, runChecks } from "../../src/verify/run-checks.ts";
import { commandCheck } from "../support/job.ts";

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "sheaf-checks-")));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const path = "/usr/local/bin:/usr/bin:/bin";

/** Trees are their files; each checkout is a new folder, as it is for real. */
function viewOf(trees: Readonly<Record<string, Readonly<Record<string, string>>>>, more: Partial<CheckView> = {}) {
  const facts: Fact[] = [];
  let count = 0;
  const sandbox = createExternal({ env: { PATH: path }, now: () => performance.now() });
  const view: CheckView = {
    run: async ({ run, timeout_ms: timeoutMs }, { root, ...seen }) => {
      const ended = await sandbox.run({ run, cwd: root, timeoutMs, signal: new AbortController().signal, ...seen });
      return { ...ended, place: root };
    },
    checkout: async (tree) => {
      const root = join(folder, `checkout-${++count}`);
      mkdirSync(root);
      for (const [name, text] of Object.entries(trees[tree] ?? {})) writeFileSync(join(root, name), text);
      return { root, dispose: async () => rmSync(root, { recursive: true }) };
    },
    scan: async () => ({ looked: 1, found: [], skipped: [] }),
    log: async (written) => void facts.push(...written),
    keep: async () => "0",
    traced: (_check, _tree, run) => run("00-0-0-00"),
    redact: (text) => text.replaceAll("hunter2", "[redacted]"),
    now: () => 0,
    signal: new AbortController().signal,
    ...more,
  };
  return { view, facts, checkouts: () => count };
}

const trees = { after: "after", base: "base" };
const tap = (...lines: string[]) => `${lines.join("\n")}\n1..${lines.length}\n`;

async function check(one: Check, files: Parameters<typeof viewOf>[0], more: Partial<CheckView> = {}) {
  const [result] = await runChecks([one], trees, viewOf(files, more).view);
  return result;
}

describe("a report on standard output", () => {
  const printed = commandCheck("cat report; echo noise >&2; exit $(cat code)", { parse: "tap" });

  it("is compared with that of the base by names", async () => {
    const base = { report: tap("not ok 1 - old", "ok 2 - new"), code: "1" };
    const same = { report: tap("ok 1 - added", "not ok 2 - old", "ok 3 - new"), code: "1" };
    expect(await check(printed, { base, after: same })).toMatchObject({ state: "passed", exit: 1, new_failures: 0 });
    const worse = { report: tap("not ok 1 - old", "not ok 2 - new hunter2"), code: "1" };
    expect(await check(printed, { base, after: worse })).toMatchObject({
      state: "failed",
      failing: ["new [redacted]"],
      tail: expect.stringContaining("noise"),
    });
  });

  it("is asked of the base only where the answer depends on it", async () => {
    const { view, checkouts } = viewOf({ after: { report: tap("ok 1 - a"), code: "0" } });
    expect(await runChecks([printed], trees, view)).toMatchObject([{ state: "passed", base_failures: null }]);
    expect(checkouts()).toBe(1);
  });
});

describe("a report in a file", () => {
  const written = (run: string) => commandCheck(run, { parse: "junit", report: "out/report.xml" });
  const green = "<testsuite><testcase name='a'/></testsuite>";

  it("is read when the command has written it", async () => {
    const result = await check(written("mkdir out && cat source > out/report.xml"), { after: { source: green } });
    expect(result).toMatchObject({ state: "passed" });
  });

  it("is not what an earlier command, an earlier attempt or the repository left there", async () => {
    const stale = commandCheck("true", { parse: "junit", report: "report.xml", expect: "pass" });
    const files = { after: { "report.xml": green } };
    expect(await check(stale, files)).toMatchObject({
      state: "failed",
      detail: expect.stringContaining("not written"),
    });
    const twice = { ...stale, run: "test -e ran || { touch ran; cp source report.xml; exit 1; }", retries: 1 };
    const result = await check(twice, { after: { source: green } });
    expect(result).toMatchObject({ state: "failed", detail: expect.stringContaining("not written") });
  });

  it("does not leave the checkout, whatever links the command makes", async () => {
    const secret = join(folder, "secret.xml");
    writeFileSync(secret, green);
    symlinkSync(folder, join(folder, "way"));
    const result = await check(written(`ln -s ${folder} out && touch out/report.xml`), { after: {} });
    expect(result?.state).not.toBe("passed");
    const linked = commandCheck(`ln -s ${secret} report.xml`, { parse: "junit", report: "report.xml", expect: "pass" });
    expect(await check(linked, { after: {} })).toMatchObject({ state: "failed" });
    expect(readFileSync(secret, "utf8")).toBe(green);
  });
});

describe("retries", () => {
  const flaky = (script: string, retries: number) => commandCheck(script, { parse: "tap", retries, expect: "pass" });
  const attempts = (...texts: string[]) => ({
    after: Object.fromEntries(texts.map((text, index) => [`r${index}`, text])),
  });
  const script = "n=$(cat n 2>/dev/null || echo 0); echo $((n+1)) > n; cat r$n; ! grep -q '^not ok' r$n";

  it("turn a check green that is red only at first, and it is said", async () => {
    const files = attempts(tap("not ok 1 - a"), tap("ok 1 - a"));
    expect(await check(flaky(script, 2), files)).toMatchObject({
      state: "passed",
      detail: "passes; red at first, green at attempt 2",
    });
    expect(await check(flaky(script, 0), files)).toMatchObject({ state: "failed" });
  });

  it("leave only what failed every time", async () => {
    const files = attempts(tap("not ok 1 - a", "not ok 2 - b"), tap("ok 1 - a", "not ok 2 - b"));
    expect(await check(flaky(script, 1), files)).toMatchObject({
      state: "failed",
      failing: ["b"],
      detail: expect.stringContaining("red in all 2 attempts"),
    });
    const other = attempts(tap("not ok 1 - a", "ok 2 - b"), tap("ok 1 - a", "not ok 2 - b"));
    expect(await check(flaky(script, 1), other)).toMatchObject({ state: "failed", failing: ["b"] });
  });
});

describe("an absent check", () => {
  const absent: AbsentCheck = { kind: "absent", name: "no moment", at: "tree", absent: "moment", in: { glob: "*.js" } };
  const found = { path: "a.js", count: 3, places: [{ line: 2, column: 5, text: "moment hunter2" }] };

  it("needs no sandbox and no checkout, and is due where nothing changed", async () => {
    const run = async () => {
      throw new Error("no sandbox");
    };
    const asked: unknown[] = [];
    const scan: CheckView["scan"] = async (...order) => {
      asked.push(order);
      return { looked: 7, found: [], skipped: [{ path: "x", reason: "not UTF-8 text", is_binary: false }] };
    };
    const { view, checkouts, facts } = viewOf({}, { run, scan, task: taskId.parse("part-1") });
    const same = { after: "base", base: "base" };
    expect(await runChecks([absent, commandCheck("npm test")], same, view)).toMatchObject([
      {
        name: "no moment",
        state: "passed",
        task: "part-1",
        detail: "nowhere in 7 files; 1 not looked at (x: not UTF-8 text)",
      },
      { name: "npm test", state: "skipped" },
    ]);
    expect(asked).toEqual([["base", { regex: "moment", places: 20 }, { glob: "*.js" }]]);
    expect(checkouts()).toBe(0);
    expect(facts.map(({ type }) => type)).toEqual(["check.started", "check.finished"]);
  });

  it("shows the places of what is still there, and counts them all", async () => {
    const scan = async () => ({ looked: 7, found: [found], skipped: [] });
    expect(await check(absent, {}, { scan })).toMatchObject({
      state: "failed",
      failing: ["a.js:2:5: moment [redacted]"],
      detail: "still there: 3 places in 1 of 7 files",
    });
  });

  it("is red when its expression never ends", async () => {
    const mistake = { code: "job_file", message: "it did not come to an end", remedy: "write another" };
    const scan = async () => ({ looked: 0, found: [], skipped: [], mistake });
    expect(await check(absent, {}, { scan })).toMatchObject({
      state: "failed",
      detail: "it did not come to an end; write another",
    });
  });
});
