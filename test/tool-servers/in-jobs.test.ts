import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { rowsOf } from "../../src/db/database.ts";
import { parseRule } from "../../src/permission/rule.ts";
import type { ScriptedTurn } from "../../src/protocol/agent.ts";
import type { Event } from "../../src/protocol/event.ts";
import type { JobSpec, NamedTask, ToolServer } from "../../src/protocol/job.ts";
import { runJobOn } from "../support/bench-job.ts";
import { openTestBench, type TestBench } from "../support/equipment.ts";

const root = join(import.meta.dirname, "../..");
const script = join(root, "test/support/tool-server.mjs");
/** By which its process is known among all. */
const marker = `notes-${randomBytes(8).toString("hex")}`;
const secret = `key-${randomBytes(8).toString("hex")}`;
let bench: TestBench;

beforeAll(async () => {
  bench = await openTestBench({
    read: [join(root, "node_modules"), join(root, "test/support")],
    secrets: { NOTES_KEY: secret },
  });
});
afterAll(() => bench[Symbol.asyncDispose]());

const notes: ToolServer = { kind: "command", name: "notes", run: ["node", script, marker], secrets: ["NOTES_KEY"] };
const call = (tool: string, input: unknown = {}): ScriptedTurn => ({ calls: [{ tool, input }] });
const files = { "a.txt": "of the base\n", "hidden/b.txt": "not for agents\n" };

function taskOf(turns: ScriptedTurn[], id = "one"): NamedTask {
  const agent = { name: id, instructions: "", model: { provider: "scripted" as const, file: "x.yaml", turns } };
  return { id, writes: [{ directories: [id] }], steps: [{ kind: "agent", agent, prompt: "ask" }] };
}

async function run(turns: ScriptedTurn[], { servers = [notes], allow = ["mcp__notes"], ...more }: Wanted = {}) {
  const permissions = { allow: allow.map(parseRule), deny: (more.deny ?? []).map(parseRule) };
  const tasks = more.tasks ?? [taskOf([...turns, call("submit", { summary: "asked" })])];
  const { result, events } = await runJobOn(bench, files, { tasks, servers, permissions });
  return { result, events, told: finishedIn(events) };
}

interface Wanted {
  servers?: JobSpec["servers"];
  allow?: string[];
  deny?: string[];
  tasks?: NamedTask[];
}

const finishedIn = (events: readonly Event[]) =>
  events
    .flatMap((event) => (event.type === "tool.finished" ? [event.data] : []))
    .filter(({ tool }) => tool !== "submit");

it("a server's tools are offered by rule, called as the log says, and told with their receipts", async () => {
  const { result, events, told } = await run(
    [
      call("mcp__notes__search_notes", { query: "tea" }),
      call("mcp__notes__look", { path: "hidden/b.txt" }),
      call("mcp__notes__picture"),
      call("mcp__notes__fail"),
      call("mcp__notes__secret"),
    ],
    { deny: ["mcp__notes__secret", "Read(hidden/**)"] },
  );
  expect(result).toMatchObject({ outcome: "blocked" });
  expect(told.map(({ is_error }) => is_error)).toEqual([false, false, false, true]);
  const [found, looked, picture, broken] = told.map(({ content }) => content);
  expect(found).toMatch(/^found tea in call 1, traced 00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  // In a checkout of the base that is its own, without what no agent may read; and its secret stays one.
  expect(looked).toBe("/workspace [redacted:secret] nothing");
  expect(picture).toMatch(
    /^here:\n\[image\/png, 3 bytes: kept as artifact [0-9a-f]{64}\]\n\[resource "notes:\/\/1"\]\nthe first note$/,
  );
  expect(broken).toBe("it is broken");
  expect(told[0]?.receipt).toMatchObject({ server: "notes", name: "search_notes" });
  const started = events.find((event) => event.type === "run.started");
  const tools = started?.type === "run.started" ? (started.data.tools ?? []) : [];
  expect(tools.map(({ name }) => name)).toEqual(
    ["search_notes", "look", "picture", "fail", "die"].map((name) => `mcp__notes__${name}`),
  );
  expect(result.denials).toMatchObject([{ tool: "mcp__notes__secret", rule: "not offered" }]);
  const spans = await rowsOf(
    bench.equipment.database.orm,
    sql`select name, attrs from sheaf.spans where name like '%notes%'`,
    z.object({ name: z.string(), attrs: z.record(z.string(), z.unknown()) }),
  );
  const names = spans.map(({ name }) => name);
  expect(names).toContain("sheaf.server notes");
  const searched = spans.find(({ name }) => name === "execute_tool mcp__notes__search_notes");
  expect(searched?.attrs).toMatchObject({ "sheaf.decision": "allow", "sheaf.rule": "mcp__notes" });
});

it("a server that no rule speaks of is not begun, and one that cannot begin fails the run with what it said", async () => {
  const broken: ToolServer = { kind: "command", name: "notes", run: ["/bin/sh", "-c", "echo no luck >&2; exit 1"] };
  const untouched = await run([call("mcp__notes__look")], { servers: [broken], allow: [] });
  expect(untouched.result).toMatchObject({ denials: [{ rule: "not offered" }] });
  const { result } = await run([], { servers: [broken] });
  expect(result.outcome).toBe("failed");
  expect(result.reason).toMatchObject({ code: "tool_server", message: expect.stringContaining("no luck") });
});

it("a server that dies is begun once more, and a call that it died of is an error", async () => {
  const dying = call("mcp__notes__die");
  const { told } = await run([dying, call("mcp__notes__search_notes", { query: "x" }), dying, dying]);
  expect(told.map(({ is_error }) => is_error)).toEqual([true, false, true, true]);
  expect(told[0]?.content).toMatch(/did not answer: .*closed; it said: about to die/s);
  expect(told[1]?.content).toContain("in call 1,");
  expect(told[3]?.content).toContain("given up");
});

it("a program that cannot be started is said to be none", async () => {
  const missing: ToolServer = { kind: "command", name: "notes", run: ["no-such-program-here"] };
  const { result } = await run([], { servers: [missing] });
  expect(result.reason?.message).toMatch(/the server notes cannot be used: .*(127|no-such-program-here)/s);
});

it("runs of a job share a server, and nothing of it is left", async () => {
  const checkouts = join(bench.folder, "home/checkouts");
  const search = call("mcp__notes__search_notes", { query: "x" });
  const tasks = ["one", "two", "three"].map((id) => taskOf([search, call("submit", { summary: "s" })], id));
  const { told } = await run([], { tasks });
  const counts = told.map(({ content }) => /call (\d)/.exec(content)?.[1]).toSorted();
  expect(counts).toEqual(["1", "2", "3"]);
  expect(readdirSync(checkouts)).toEqual([]);
  const running = execFileSync("ps", ["-eo", "args"]).toString().split("\n");
  expect(running.filter((line) => line.includes(marker))).toEqual([]);
});
