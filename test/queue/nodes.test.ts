import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { systemClock as clock } from "../../src/clock.ts";
import type { Database } from "../../src/db/database.ts";
import { sql } from "../../src/db/drizzle.ts";
import { openDatabase } from "../../src/db/open.ts";
import { jobId, newUuid, runId } from "../../src/protocol/ids.ts";
import { openQueue } from "../../src/queue/open-queue.ts";
import type { HeldWake, Queue, Wake } from "../../src/queue/queue.ts";
import { migrations, template } from "../support/database.ts";
import { startPostgres, type TestServer } from "../support/postgres.ts";

const leaseMs = 2_000;
const patience = { timeout: 30_000, interval: 20 };

let server: TestServer;
let url: string;
let stack: AsyncDisposableStack;
beforeAll(async () => {
  server = await startPostgres();
});
beforeEach(async () => {
  url = await server.createDatabase();
  stack = new AsyncDisposableStack();
});
afterEach(() => stack.disposeAsync());
afterAll(() => server.close());

test("what a killed node held goes to another, and nothing is lost or doubled", async () => {
  const { queue, taken } = await openNode();
  const sent = wakes(6);
  await queue.send(sent);
  const victim = await startProcess();
  await vi.waitFor(() => expect(victim.said("taken")).toHaveLength(6), patience);
  listen({ queue, taken });
  victim.child.kill("SIGKILL");
  await vi.waitFor(() => expect(taken).toHaveLength(6), patience);
  expect(taken.map((wake) => wake.runId).toSorted()).toEqual(sent.map((wake) => wake.runId).toSorted());
  expect(new Set(taken.map(({ crashes }) => crashes))).toEqual(new Set([1]));
  expect(await queue.complete(taken)).toEqual([]);
});

test("a transaction that a frozen process never ends holds up nothing else", async () => {
  const victim = await openNode();
  await victim.queue.send(wakes(3));
  listen(victim);
  await vi.waitFor(() => expect(victim.taken).toHaveLength(3), patience);
  await victim.queue.close();
  const { queue, taken } = await openNode();
  const released = Promise.withResolvers<void>();
  const frozen = victim.database.orm.transaction(async (orm) => {
    await victim.queue.complete(victim.taken.slice(0, 1), orm);
    await released.promise;
    throw new Error("rolled back");
  });
  listen({ queue, taken });
  await vi.waitFor(() => expect(taken).toHaveLength(2), patience);
  released.resolve();
  // Or the server was faster.
  await expect(frozen).rejects.toThrow();
  await vi.waitFor(() => expect(taken).toHaveLength(3), patience);
});

test("a node that was frozen finds its lease over before it hears what it lost", async () => {
  const { queue, taken } = await openNode();
  const sent = wakes(2);
  await queue.send(sent);
  const frozen = await startProcess();
  await vi.waitFor(() => expect(frozen.said("taken")).toHaveLength(2), patience);
  frozen.child.kill("SIGSTOP");
  listen({ queue, taken });
  await vi.waitFor(() => expect(taken).toHaveLength(2), patience);
  expect(await queue.complete(taken)).toEqual([]);
  frozen.child.kill("SIGUSR2");
  frozen.child.kill("SIGCONT");
  await vi.waitFor(() => expect(frozen.said("lost")).toHaveLength(2), patience);
  expect(frozen.lines.filter((line) => /^(lease|lost)/.test(line))[0]).toBe("lease over");
  expect(await queue.depth()).toEqual({ queued: 0, held: 0 });
});

test("a database that is away is waited for, and every wake is taken once it is back", async () => {
  const link = await openLink(url);
  const { queue, taken, lost } = await openNode(link.url);
  listen({ queue, taken, lost });
  const direct = await openNode();
  const early = wakes(2);
  await direct.queue.send(early);
  await vi.waitFor(() => expect(taken).toHaveLength(2), patience);
  link.cut();
  const late = wakes(3);
  await direct.queue.send(late);
  await sleep(leaseMs + 500);
  expect(taken).toHaveLength(2);
  expect(queue.leaseUntil()).toBeLessThan(clock.now());
  link.mend();
  await vi.waitFor(() => expect(taken).toHaveLength(5), patience);
  await vi.waitFor(() => expect(queue.leaseUntil()).toBeGreaterThan(clock.now()), patience);
  // Nobody else was there to take them.
  expect(lost).toEqual([]);
  expect(await queue.complete(taken)).toEqual([]);
  expect(await direct.queue.depth()).toEqual({ queued: 0, held: 0 });
});

test("every node hears of what another one sends once that is committed, and listens again after a break", async () => {
  const link = await openLink(url);
  const database = await openDatabase({ url: link.url, folder: "/nonexistent", template, migrations });
  stack.defer(() => database.close());
  const heard: string[] = [];
  const stop = await database.listen("sheaf_queue", (what) => heard.push(what));
  stack.defer(stop);
  await vi.waitFor(() => expect(heard).toEqual([""]), patience);
  const sender = await openNode();
  await sender.database.orm.transaction(async (orm) => {
    await sender.queue.send(wakes(1), orm);
    await database.orm.execute(sql`select 1`);
    expect(heard).toEqual([""]);
  });
  await vi.waitFor(() => expect(heard).toEqual(["", "runs"]), patience);
  link.cut();
  link.mend();
  await vi.waitFor(() => expect(heard).toEqual(["", "runs", ""]), patience);
});

interface Node {
  database: Database;
  queue: Queue;
  taken: HeldWake[];
  lost: HeldWake[];
}

async function openNode(at = url): Promise<Node> {
  const database = await openDatabase({ url: at, folder: "/nonexistent", template, migrations });
  stack.defer(() => database.close());
  const limits = { perNode: 100 };
  const queue = await openQueue({ name: "runs", database, clock, node: "here", limits, isEmbedded: false, leaseMs });
  stack.defer(() => queue.close());
  return { database, queue, taken: [], lost: [] };
}

function listen({ queue, taken, lost = [] }: Pick<Node, "queue" | "taken"> & Partial<Node>): void {
  queue.pump({ take: (wake) => taken.push(wake), lost: (wake) => lost.push(wake), poison: async () => {} });
}

function wakes(count: number): Wake[] {
  const job = jobId.parse(newUuid(clock));
  const one = () => ({ runId: runId.parse(newUuid(clock)), jobId: job, tenant: "tenant", priority: 0 });
  return Array.from({ length: count }, one);
}

async function startProcess() {
  const script = fileURLToPath(new URL("./node-process.ts", import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [script, url, String(leaseMs)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  stack.defer(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  if (!child.stdout) throw new Error("no stdout");
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  const said = (word: string) => lines.filter((line) => line.startsWith(`${word} `));
  await vi.waitFor(() => expect(lines).toContain("ready"), patience);
  return { child, lines, said };
}

/** A way to the server that can be cut, with all that goes over it. */
async function openLink(to: string): Promise<{ url: string; cut(): void; mend(): void }> {
  const target = new URL(to);
  const sockets = new Set<Socket>();
  let isCut = false;
  const door: Server = createServer((near) => {
    if (isCut) {
      near.destroy();
      return;
    }
    const far = connect(Number(target.port), target.hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
  });
  door.listen(0, "127.0.0.1");
  await once(door, "listening");
  const cut = () => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  stack.defer(() => {
    cut();
    door.close();
  });
  const address = door.address();
  const here = new URL(to);
  here.port = String(typeof address === "object" && address ? address.port : 0);
  return { url: here.href, cut, mend: () => (isCut = false) };
}
