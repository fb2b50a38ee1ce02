import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { logJob } from "../../src/log/log-job.ts";
import { logRequest } from "../../src/log/log-request.ts";
import { type LogOptions, openLog } from "../../src/log/open-log.ts";
import type { Fact } from "../../src/protocol/event.ts";
import { Fault } from "../../src/protocol/failure.ts";
import { createRedactor } from "../../src/telemetry/redact.ts";

function opened(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const redact = createRedactor(["hunter-2-secret"]);
  const log = openLog({ redact, now: () => 0, write: (line) => void lines.push(line), ...options });
  return { log, lines, parsed: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

const key = `-----BEGIN PRIVATE KEY-----\n${"A".repeat(64)}`;

describe("the operator's log", () => {
  it("is lines of JSON with level, time, message and the fields of the line and of its log", () => {
    const { log, parsed } = opened({ context: () => ({ trace_id: "t", span_id: "s" }) });
    log.with({ job: "j" }).with({ run: "r" }).warn("it happened", { count: 2, isOdd: false, gone: undefined });
    expect(parsed()).toEqual([
      {
        level: "warn",
        time: "1970-01-01T00:00:00.000Z",
        trace_id: "t",
        span_id: "s",
        job: "j",
        run: "r",
        count: 2,
        isOdd: false,
        message: "it happened",
      },
    ]);
  });

  it("hides secrets and tokens in messages, fields, errors and nested values, and stays JSON where a key was cut off", () => {
    const { log, lines, parsed } = opened();
    const bearer = { authorization: `Bearer ${"x".repeat(40)}` };
    log.with({ from: "hunter-2-secret" }).error(`with hunter-2-secret`, {
      error: new Fault("git", "https://me:hunter-2-secret@host/x failed"),
      nested: { deep: ["hunter-2-secret", bearer], large: 1n },
      key,
      after: "shown",
    });
    expect(lines.join("")).not.toMatch(/hunter-2|AAAA|xxxx/);
    expect(parsed()[0]).toMatchObject({ error_code: "git", after: "shown", key: "[redacted:private-key]" });
  });

  it("says nothing below its level, and nothing at all when silent", () => {
    const warn = opened({ level: "warn" });
    warn.log.debug("no");
    warn.log.info("no");
    warn.log.warn("yes");
    warn.log.error("yes");
    expect(warn.parsed().map(({ message }) => message)).toEqual(["yes", "yes"]);
    const silent = opened({ level: "silent" });
    silent.log.error("no");
    expect(silent.lines).toEqual([]);
  });

  it.each(["json", "text"] as const)("as %s is one line a message, bounded, whatever is in it", (format) => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.dictionary(fc.string(), fc.anything()), (message, fields) => {
        const { log, lines } = opened({ format });
        log.info(message, { ...fields, long: "x".repeat(100_000) });
        expect(lines).toHaveLength(1);
        expect(lines[0]?.indexOf("\n")).toBe((lines[0]?.length ?? 0) - 1);
        expect(lines[0]?.length).toBeLessThan(60_000);
      }),
    );
  });

  it("as text obeys no escape sequence and quotes what has spaces", () => {
    const { log, lines } = opened({ format: "text" });
    log.info("a\u001b[2Jb\nc", { path: "/v1/jobs", why: "two words" });
    expect(lines).toEqual(['1970-01-01T00:00:00.000Z info a\\u001b[2Jb\\u000ac path=/v1/jobs why="two words"\n']);
  });

  it("lets no field take the place of level, time or message", () => {
    const { log, parsed } = opened();
    log.info("said", { level: "x", time: "y", message: "z" });
    expect(parsed()[0]).toMatchObject({ level: "info", message: "said", level_: "x", time_: "y", message_: "z" });
  });
});

describe("an answered request", () => {
  it("is told without its query, and by what became of it", () => {
    const { log, lines, parsed } = opened({ level: "debug" });
    const request = { method: "GET", durationMs: 1.6 };
    logRequest(log, { ...request, url: "http://host:1/v1/jobs?token=sesame#x", status: 200, caller: "ci" });
    logRequest(log, { ...request, url: "/v1/jobs", status: 500 });
    logRequest(log, { ...request, url: "/healthz?sesame", status: 200 });
    expect(lines.join("")).not.toContain("sesame");
    expect(parsed()).toMatchObject([
      { level: "info", path: "/v1/jobs", status: 200, duration_ms: 2, caller: "ci", message: "request" },
      { level: "error", path: "/v1/jobs", status: 500 },
      { level: "debug", path: "/healthz" },
    ]);
  });
});

describe("a job's facts", () => {
  it("are told with their run, and details are left to the job's own log", () => {
    const { log, parsed } = opened();
    const tell = logJob(log);
    const take = (run: string, fact: Fact) => tell({ id: "j", traceId: "t" }, run, fact);
    take("root", { type: "job.planned", data: { strategy: "files", tasks: [], unsplit: [] } });
    take("run-1", { type: "turn.started", data: { turn: 1, model: "m" } });
    const denied = { call_id: "1", tool: "write", input: "../x", rule: "scope", source: "task", reason: "outside" };
    take("run-1", { type: "tool.denied", data: denied });
    take("root", { type: "job.finished", data: { outcome: "failed", exit_code: 1, result: {} } });
    expect(parsed()).toMatchObject([
      { job: "j", trace_id: "t", run: "root", message: "job planned", tasks: 0 },
      { job: "j", run: "run-1", level: "warn", message: "tool denied", input: "../x" },
      { job: "j", run: "root", message: "job finished", outcome: "failed", exit_code: 1 },
    ]);
  });
});
