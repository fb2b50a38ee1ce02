import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { pendingLines } from "../../src/cli/approval-text.ts";
import { canAnswer } from "../../src/cli/can-answer.ts";
import { runCommandLine } from "../../src/cli/main.ts";
import type { Session, Surroundings } from "../../src/cli/session.ts";
import { readConfig } from "../../src/config.ts";
import { openServer } from "../../src/http/listen.ts";
import type { ApprovalView } from "../../src/protocol/approval.ts";
import { joinServer, joinSocket } from "../../src/session/join-session.ts";
import { createGit } from "../../src/workspace/git.ts";
import { openServed, type Served } from "../http/served.ts";

let served: Served;
let door: ReturnType<typeof openServer>;
let job: { id: string; handle: string };

beforeAll(async () => {
  served = await openServed();
  door = openServer(served.app, true);
  await new Promise<void>((resolve) => door.listen({ path: socket() }, resolve));
  job = await served.submit("write");
  await served.coordinator.idle();
});
afterAll(async () => {
  door.close();
  door.closeAllConnections();
  await served[Symbol.asyncDispose]();
});

const socket = () => join(served.bench.folder, "cli.sock");

/** The ways in which a command reaches whoever does the work. What a session of this process had is gone with it. */
const reaches: Readonly<Record<Session["reach"], () => Promise<Session>>> = {
  async own() {
    let isOpen = true;
    const ofOpen = <T extends object>(target: T): T =>
      new Proxy(target, {
        get(from, name) {
          const value = Reflect.get(from, name);
          if (typeof value !== "function") return value;
          return async (...given: unknown[]) => {
            const answer = await Reflect.apply(value, from, given);
            if (!isOpen) throw new Error("the session is closed");
            return answer;
          };
        },
      });
    return {
      coordinator: ofOpen(served.coordinator),
      audit: async () => ({ calls: [] }),
      reach: "own",
      async [Symbol.asyncDispose]() {
        isOpen = false;
      },
    };
  },
  async socket() {
    const joined = await joinSocket(socket(), () => Promise.reject(new Error("nobody is there")));
    if (!joined) throw new Error("nobody listens at the socket");
    return joined;
  },
  server: async () => joinServer({ url: served.url, token: served.secret }),
};

async function call(words: readonly string[], open: () => Promise<Session>) {
  const [printed, told]: [string[], string[]] = [[], []];
  const { folder } = served.bench;
  const around: Surroundings = {
    config: readConfig({ HOME: folder, SHEAF_HOME: join(folder, "home of commands"), PATH: process.env.PATH }),
    terminal: {
      print: (line) => void printed.push(line),
      write: async () => {},
      tell: (line) => void told.push(line),
      isLive: false,
      columns: 100,
      draw() {},
      style: (_, text) => text,
    },
    git: createGit({ path: process.env.PATH ?? "" }),
    version: "0",
    now: Date.now,
    cwd: folder,
    open,
    listen: () => Promise.reject(new Error("no command here serves")),
    readInput: async () => "",
    onSignal: () => () => {},
  };
  const code = await runCommandLine(words, around);
  return { code, printed: printed.join("\n"), told: told.join("\n") };
}

async function tokenOf(name: string, scopes: readonly string[]): Promise<() => Promise<Session>> {
  const made = await served.ask("/v1/tokens", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name, scopes }),
  });
  const { secret: token } = z.object({ secret: z.string() }).parse(await made.json());
  return async () => joinServer({ url: served.url, token });
}

describe("a question about a job's rules", () => {
  it.each(["own", "socket", "server"] as const)("is answered by whoever does the work: %s", async (reach) => {
    const { code, told, printed } = await call(["explain", "Edit(.git/x)", "--job", job.handle], reaches[reach]);
    expect([code, told]).toEqual([1, ""]);
    expect(printed).toContain("DENY  Edit(.git/x)");
  });
});

describe("questions to people on a server", () => {
  it("are listed and filtered by a token that may do nothing else", async () => {
    const approver = await tokenOf("approver", ["approve"]);
    expect(await call(["approvals"], approver)).toMatchObject({ code: 0, told: "nothing waits for an answer" });
    expect(await call(["approvals", job.handle], approver)).toMatchObject({ code: 0 });
    const unknown = await call(["approvals", "nobody-7"], approver);
    expect(unknown).toMatchObject({ code: 64, told: expect.stringContaining('there is no job "nobody-7"') });
  });

  it("are known beforehand not to be for a token that cannot answer", async () => {
    await using reader = await (await tokenOf("runner", ["read", "run"]))();
    await using owner = await reaches.server();
    expect([await canAnswer(reader), await canAnswer(owner)]).toEqual([false, true]);
  });
});

describe("a question on one line", () => {
  const of = (input: string) =>
    pendingLines([
      { id: "3f2a91c0-0000", job_id: "j1", task_id: "one", tool: "bash", input } as unknown as ApprovalView,
    ]);

  it("shows where a line ended, and how to answer only where nothing is left out", () => {
    expect(of("npm install").join()).toContain("sheaf approve 3f2a91c0");
    const lines = of("echo installing\nrm -rf src");
    expect(lines[0]).toContain("bash echo installing \\x0a rm -rf src");
    for (const hidden of [lines, of(`echo ${"a".repeat(300)}; rm -rf src`)]) {
      expect(hidden.join()).not.toContain("sheaf approve 3");
      expect(hidden[1]).toContain("sheaf approvals j1");
    }
  });
});

describe("an idempotency key", () => {
  it("names the same job whether this process or another one holds the data folder", async () => {
    const words = ["run", "--codemod", "node-protocol", "--repo", served.repository, "--output-format", "json"];
    const keyed = [...words, "--idempotency-key", "nightly-1"];
    const idOf = z.object({ job: z.object({ id: z.string() }) });
    const ids: string[] = [];
    for (const reach of ["own", "socket"] as const) {
      const { printed, told } = await call(keyed, reaches[reach]);
      expect(told).not.toContain("idempotency");
      ids.push(idOf.parse(JSON.parse(printed)).job.id);
    }
    expect(new Set(ids).size).toBe(1);
  });
});
