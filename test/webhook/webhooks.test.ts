import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { jobId } from "../../src/protocol/ids.ts";
import { messageOf, type WebhookMessage } from "../../src/webhook/message.ts";
import { openWebhooks, type WebhookOptions } from "../../src/webhook/open-webhooks.ts";
import { aCheck, aTask, plainResult } from "../report/results.ts";
import { emptySpec } from "../support/job.ts";
import { openSheaf, patience } from "../support/sheaf.ts";
import { playground } from "../workspace/playground.ts";
import { answers, openReceiver } from "./receiver.ts";

let folder = "";
let warnings: string[] = [];
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "sheaf-webhooks-")), "webhooks");
  warnings = [];
});
afterEach(() => rmSync(join(folder, ".."), { recursive: true, force: true }));

const secret = `whsec_${Buffer.alloc(32, 9).toString("base64")}`;
const both = ["job.created", "job.finished"] as const;
const finished: WebhookMessage = { type: "job.finished", timestamp: "2026-01-01T00:00:00.000Z", data: { n: 1 } };
const opened = (url: string, more: Partial<WebhookOptions> = {}) =>
  openWebhooks({
    targets: [{ url, secret, events: both }],
    folder,
    clock: systemClock,
    warn: (message) => void warnings.push(message),
    backoffMs: [1, 1],
    ...more,
  });
const left = () => readdirSync(folder).filter((name) => name.endsWith(".json"));

describe("a webhook", () => {
  it("is one signed request that any library of the specification accepts, and leaves nothing behind", async () => {
    await using receiver = await openReceiver(answers(204));
    await using webhooks = await opened(receiver.url);
    webhooks.send(finished);
    await webhooks[Symbol.asyncDispose]();
    const [got] = receiver.got;
    expect(new Webhook(secret).verify(got?.body ?? "", got?.headers as Record<string, string>)).toEqual(finished);
    expect(got?.headers).toMatchObject({ "content-type": "application/json", "user-agent": "sheaf-webhooks" });
    expect([receiver.got.length, left(), warnings]).toEqual([1, [], []]);
  });

  it("is tried again under the same id, with a new signature, until it is taken", async () => {
    await using receiver = await openReceiver(answers(500, 302, 200));
    await using webhooks = await opened(receiver.url);
    webhooks.send(finished);
    await receiver.count(3);
    await webhooks[Symbol.asyncDispose]();
    expect(new Set(receiver.got.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    for (const { body, headers } of receiver.got) new Webhook(secret).verify(body, headers as Record<string, string>);
    expect(warnings).toEqual([
      expect.stringContaining("it answered 500; attempt 1 of 3"),
      expect.stringContaining("it answered 302; attempt 2 of 3"),
    ]);
    expect(warnings.join()).not.toMatch(/in-the-path|whsec/);
    expect(left()).toEqual([]);
  });

  it("follows no redirect, wherever it leads", async () => {
    await using inside = await openReceiver(answers(200));
    await using receiver = await openReceiver((_, response) => response.writeHead(307, { location: inside.url }).end());
    await using webhooks = await opened(receiver.url, { backoffMs: [] });
    webhooks.send(finished);
    await webhooks[Symbol.asyncDispose]();
    expect([receiver.got.length, inside.got.length]).toEqual([1, 0]);
    expect(warnings).toEqual([expect.stringContaining("it answered 307; attempt 1 of 1, given up")]);
  });

  it("is given up after its last attempt, for a receiver that is not there as well", async () => {
    const receiver = await openReceiver(answers(200));
    const { url } = receiver;
    await receiver[Symbol.asyncDispose]();
    const all = Promise.withResolvers<void>();
    const warn = (message: string) => {
      warnings.push(message);
      if (message.endsWith("given up")) all.resolve();
    };
    await using webhooks = await opened(url, { warn });
    webhooks.send(finished);
    await all.promise;
    await webhooks[Symbol.asyncDispose]();
    expect(warnings.map((message) => message.replace(/^.*: /, ""))).toEqual([
      "ECONNREFUSED; attempt 1 of 3",
      "ECONNREFUSED; attempt 2 of 3",
      "ECONNREFUSED; attempt 3 of 3, given up",
    ]);
    expect(left()).toEqual([]);
  });

  it("that was answered with 410 is the last one for that address, in later processes too", async () => {
    await using receiver = await openReceiver(answers(410));
    await using first = await opened(receiver.url);
    first.send(finished);
    await first[Symbol.asyncDispose]();
    await using second = await opened(receiver.url);
    second.send(finished);
    await second[Symbol.asyncDispose]();
    expect(receiver.got).toHaveLength(1);
    const [mark] = readdirSync(folder);
    expect(warnings).toEqual([
      expect.stringContaining(`told nothing more; remove ${join(folder, mark ?? "")} to undo`),
    ]);
  });

  it("that the end of the process cut off is taken up by the next, under the same id", async () => {
    await using receiver = await openReceiver((number, response) => {
      if (number > 1) response.writeHead(200).end();
    });
    await using first = await opened(receiver.url, { graceMs: 1 });
    first.send(finished);
    await receiver.count(1);
    await first[Symbol.asyncDispose]();
    expect(left()).toHaveLength(1);
    await using second = await opened(receiver.url);
    await receiver.count(2);
    await second[Symbol.asyncDispose]();
    expect(receiver.got[1]?.headers["webhook-id"]).toBe(receiver.got[0]?.headers["webhook-id"]);
    expect(receiver.got[1]?.body).toBe(receiver.got[0]?.body);
    expect([left(), warnings]).toEqual([[], []]);
  });

  it("of an address that nobody names any more, or that cannot be read, is dropped", async () => {
    await using receiver = await openReceiver(answers(200));
    await using first = await opened("http://127.0.0.1:1/", { backoffMs: [60_000] });
    first.send(finished);
    await first[Symbol.asyncDispose]();
    writeFileSync(join(folder, "msg_0190a0a0-0000-7000-8000-000000000000.json"), "{");
    expect(left()).toHaveLength(2);
    await using second = await opened(receiver.url);
    second.send(finished);
    await second[Symbol.asyncDispose]();
    expect([left(), receiver.got.length]).toEqual([[], 1]);
  });

  it("goes only to who asked for its kind, and each receiver gets its own", async () => {
    await using one = await openReceiver(answers(200));
    await using other = await openReceiver(answers(200));
    const targets = [
      { url: one.url, secret, events: ["job.created"] as const },
      { url: other.url, secret, events: both },
    ];
    await using webhooks = await opened("", { targets });
    webhooks.send(finished);
    await webhooks[Symbol.asyncDispose]();
    expect([one.got.length, other.got.length]).toEqual([0, 1]);
  });

  it("waits as long as the receiver asks, and no more than a day", async () => {
    await using receiver = await openReceiver((_, response) =>
      response.writeHead(503, { "retry-after": "3600" }).end(),
    );
    await using webhooks = await opened(receiver.url, { clock: { now: () => 1_000, random: systemClock.random } });
    webhooks.send(finished);
    await webhooks[Symbol.asyncDispose]();
    const waiting: unknown = JSON.parse(readFileSync(join(folder, left()[0] ?? ""), "utf8"));
    expect(waiting).toMatchObject({ next_at: 3_601_000, attempts: 1 });
  });
});

describe("what a receiver is told", () => {
  const job = { id: jobId.parse(plainResult.job.id), traceId: plainResult.trace_id };
  const how = { at: 0, redact: (text: string) => text.replace("sesame", "[redacted]") };

  it("is who, on what, and where to look when a job begins", () => {
    const fact = { type: "job.created" as const, data: { handle: "lint-3", spec: emptySpec("lint") } };
    expect(messageOf(job, fact, how)).toEqual({
      type: "job.created",
      timestamp: "1970-01-01T00:00:00.000Z",
      data: {
        job: { id: job.id, handle: "lint-3", name: "lint" },
        ref: "HEAD",
        base_commit: "0".repeat(40),
        trace_id: job.traceId,
      },
    });
  });

  it("is how it ended, counted, short and without what agents and commands said", () => {
    const result = {
      ...plainResult,
      outcome: "failed" as const,
      exit_code: 1,
      reason: { code: "check_failed", message: `sesame ${"x".repeat(50_000)}`, log: "output" },
      tasks: Array.from({ length: 500 }, (_, index) => aTask(`part-${index}`, { summary: "said", landed: index > 0 })),
      checks: Array.from({ length: 500 }, (_, index) => aCheck(`${index} ${"c".repeat(1_000)}`, { tail: "output" })),
    };
    const { outcome, exit_code } = result;
    const message = messageOf(job, { type: "job.finished", data: { outcome, exit_code, result } }, how);
    const body = JSON.stringify(message);
    expect(message?.data).toMatchObject({
      outcome: "failed",
      exit_code: 1,
      tasks: { total: 500, landed: 499, failed: 1 },
    });
    expect(body).not.toMatch(/sesame|output|said/);
    expect(body.length).toBeLessThan(20_000);
  });

  it("is nothing of any other fact", () => {
    expect(messageOf(job, { type: "turn.started", data: { turn: 1, model: "m" } }, how)).toBeUndefined();
  });
});

describe("sheaf run", { timeout: patience }, () => {
  it("tells receivers that a job began and how it ended before it leaves, and shows nobody the secret", async () => {
    await using receiver = await openReceiver(answers(200));
    await using ground = playground();
    ground.write("a.js", 'require("fs");\n');
    ground.commit();
    await using sheaf = openSheaf({ settings: `webhooks: [{ url: "${receiver.url}", secret: ${secret} }]` });
    const { result, stderr } = await sheaf.job(["--codemod", "node-protocol", "--repo", ground.user]);
    const verifier = new Webhook(secret);
    const told = receiver.got.map(({ body, headers }) => verifier.verify(body, headers as Record<string, string>));
    const { id, handle, name } = result.job;
    expect(told).toMatchObject([
      { type: "job.created", data: { job: { id, handle, name }, base_commit: result.base_commit } },
      { type: "job.finished", data: { job: { id, handle, name }, outcome: "succeeded", tasks: { landed: 1 } } },
    ]);
    expect(stderr).not.toContain(secret);
  });
});
