import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { submit } from "../../src/coordinator/submit.ts";
import { rowsOf } from "../../src/db/database.ts";
import { parseRule } from "../../src/permission/rule.ts";
import type { JobSpec, NamedTask } from "../../src/protocol/job.ts";
import type { AgentStep, CommandStep, Step } from "../../src/protocol/step.ts";
import type { Repository } from "../../src/workspace/repository.ts";
import { runJobOn } from "../support/bench-job.ts";
import { openTestBench, type TestBench } from "../support/equipment.ts";
import { commandCheck } from "../support/job.ts";

const token = "hunter2-is-not-a-password/+";
const key = "-- begin --\nline-one-of-the-key\nline-two-of-the-key\n-- end --";
const web = createServer((request, response) => response.end(`authorized by ${request.headers["x-token"]}`));
let host: string;
let bench: TestBench;

beforeAll(async () => {
  web.listen(0, "127.0.0.1");
  await once(web, "listening");
  host = `web.test:${(web.address() as AddressInfo).port}`;
  bench = await openTestBench({
    privateHosts: ["web.test"],
    resolve: async (name) => (name === "web.test" ? ["127.0.0.1"] : []),
    secrets: { TOKEN: token, KEY: key, OTHER: "nobody-asked-for-this" },
  });
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
  web.close();
});

const files = { "package.json": '{"name":"x"}\n', "one/a.txt": "a\n" };
const command = (run: string, more: Partial<CommandStep> = {}): CommandStep => ({
  ...{ kind: "command", run, may_fail: false, timeout_ms: 20_000 },
  ...more,
});
const taskOf = (...steps: Step[]): NamedTask => ({ id: "one", writes: [{ directories: ["one"] }], steps });
const fetching = (url: string, headers = "{}") =>
  `/run/sheaf/node -e 'fetch("${url}", { headers: ${headers} }).then(async (r) => console.log(await r.text()))'`;

const row = z.object({
  name: z.string(),
  span_id: z.string(),
  parent_span_id: z.string().nullable(),
  attrs: z.record(z.string(), z.unknown()),
});

async function spansNamed(start: string) {
  const rows = await rowsOf(bench.equipment.database.orm, sql`select * from sheaf.spans order by start_ns`, row);
  return rows.filter(({ name }) => name.startsWith(start));
}

describe("the network of a job", () => {
  it("is what its author named, for that command alone, and every request is on the trace", async () => {
    const open = command(`${fetching(`http://${host}/`)}; ${fetching("http://other.test/")}; true`, {
      network: [host],
    });
    const shut = command('test ! -e /run/sheaf && test -z "$HTTP_PROXY"');
    const { result } = await runJobOn(bench, files, { tasks: [taskOf(open, shut)] });
    expect(result).toMatchObject({ outcome: "no_changes" });
    const told = await spansNamed("sheaf.network ");
    expect(told.map(({ name }) => name)).toEqual(["sheaf.network web.test", "sheaf.network other.test"]);
    expect(told.map(({ attrs }) => attrs)).toEqual([
      expect.objectContaining({
        "server.address": "web.test",
        "network.peer.address": "127.0.0.1",
        "sheaf.decision": "allow",
      }),
      expect.objectContaining({ "server.address": "other.test", "server.port": 80, "sheaf.decision": "deny" }),
    ]);
    const commands = (await spansNamed("execute_tool command")).map(({ span_id }) => span_id);
    for (const one of told) expect(commands).toContain(one.parent_span_id);
  });

  it.each([
    [
      "a host beyond the operator's",
      { network: ["evil.test"] },
      /asks for the network host evil\.test, which the operator/,
    ],
    ["a port beyond the operator's", { network: ["a.allowed.test:22"] }, /the network host a\.allowed\.test:22/],
    [
      "registries of which none is allowed",
      { network: ["registry"] },
      /its package registries \(registry\.npmjs\.org:443/,
    ],
    ["a secret that nobody keeps", { secrets: ["NPM_TOKEN"] }, /the secret NPM_TOKEN, which this server does not keep/],
    ["a secret by the name of something else", { secrets: ["constructor"] }, /the secret constructor/],
  ])("with %s is refused before anything runs or is stored", async (_, reach, message) => {
    const { repository, spec } = await bench.repository(files);
    const equipment = {
      ...bench.equipment,
      ceiling: { ...bench.equipment.ceiling, network: { hosts: ["*.allowed.test:443"], private: [] } },
    };
    const places: Partial<JobSpec>[] = [
      { setup: { run: "true", timeout_ms: 1_000, ...reach } },
      { tasks: [taskOf(command("true", reach))] },
      { before: [command("true", reach)] },
      { checks: [commandCheck("true", reach)] },
    ];
    const before = await countJobs();
    for (const more of places) {
      await expect(submit({ spec: { ...spec, ...more }, repository }, equipment)).rejects.toThrow(message);
    }
    expect(await countJobs()).toBe(before);
  });

  it("of a repository without manifests has no registry, and says so", async () => {
    const { repository, spec } = await bench.repository({ "a.txt": "a\n" });
    const wanted = { ...spec, setup: { run: "true", timeout_ms: 1_000, network: ["registry"] } };
    await expect(submit({ spec: wanted, repository }, bench.equipment)).rejects.toThrow(
      /no manifest of a package manager/,
    );
  });
});

async function countJobs(): Promise<number> {
  const rows = await rowsOf(
    bench.equipment.database.orm,
    sql`select count(*)::int as n from sheaf.jobs`,
    z.object({ n: z.number() }),
  );
  return rows[0]?.n ?? -1;
}

type Call = { tool: string; input: Record<string, unknown> };
function agent(calls: Call[], more: Partial<AgentStep>): AgentStep {
  const turns = [
    ...calls.map((call) => ({ calls: [call] })),
    { calls: [{ tool: "submit", input: { summary: "done" } }] },
  ];
  const model = { provider: "scripted" as const, file: "x.yaml", turns };
  return { kind: "agent", agent: { name: "one", instructions: "", model }, prompt: "", ...more };
}
const bash = (text: string): Call => ({ tool: "bash", input: { command: text } });

/** Says each secret in all the ways in which one is said by accident. */
const spilling = [
  'echo "$TOKEN"; echo "$KEY"; echo "$TOKEN" | base64; printf "%s" "x:$TOKEN" | base64',
  'printf \'{"t":"%s"}\\n\' "$TOKEN"; echo "$KEY" | sed "s/^/| /"; echo "got $TOKEN" >&2',
].join("; ");

describe("a secret of a job", () => {
  it("is given to the command that names it, and to no other, and stands in nothing that is kept", async () => {
    const header = '{ "x-token": process.env.TOKEN }';
    const reach = { network: [host], secrets: ["TOKEN", "KEY"] };
    const told = command(`${spilling}; ${fetching(`http://${host}/$TOKEN`, header)}; test -z "$OTHER"`, reach);
    const silent = command('test -z "$TOKEN$KEY$OTHER"');
    const failing = command(`${spilling}; echo "no $TOKEN" >&2; exit 3`, { ...reach, may_fail: true });
    const asking = agent(
      [bash(`${spilling}; cd "$TOKEN"`), bash('echo ok > one/made; echo "$TOKEN" > two.txt')],
      reach,
    );
    const { result } = await runJobOn(bench, files, {
      setup: { run: `${spilling}; test -z "$OTHER"`, timeout_ms: 20_000, ...reach },
      tasks: [{ ...taskOf(told, silent, failing, asking), id: "one" }],
      permissions: { allow: [parseRule("Bash")], deny: [] },
      checks: [commandCheck(`${spilling}; echo "$TOKEN" >&2; exit 1`, { ...reach, expect: "pass" })],
    });
    expect(result.tasks[0]).toMatchObject({ state: "succeeded" });
    expect(result.checks[0]).toMatchObject({ state: "failed" });
    expect(JSON.stringify(result)).toContain("[redacted:secret]");
    await bench.equipment.hub.flush();
    const kept = await everythingKept();
    expect(kept).toContain("| [redacted:secret]");
    for (const form of formsOf(token, "line-one-of-the-key", "line-two-of-the-key")) expect(kept).not.toContain(form);
    for (const form of formsOf(token)) expect(JSON.stringify(result)).not.toContain(form);
  });

  it("that a command writes into a file is put back with that file, and the command has failed", async () => {
    const reach = { secrets: ["TOKEN"] };
    const leak = command(
      'echo fine > one/fine; printf "t=%s" "$TOKEN" | base64 > one/leak; ln -s "$TOKEN" one/link',
      reach,
    );
    const commands = await runJobOn(bench, files, { tasks: [taskOf(leak)] });
    expect(commands.result).toMatchObject({ outcome: "blocked" });
    expect(commands.result.denials.map(({ input, rule }) => [input, rule]).sort()).toEqual([
      ["one/leak", "secret"],
      ["one/link", "secret"],
    ]);
    const permissions = { allow: [parseRule("Bash")], deny: [] };
    const asking = agent([bash('echo "$TOKEN" > one/leak; echo fine > one/fine')], reach);
    const agents = await runJobOn(bench, files, { tasks: [taskOf(asking)], permissions });
    expect(agents.result.denials.map(({ input, rule }) => [input, rule])).toEqual([["one/leak", "secret"]]);
    const landed = execFileSync("git", [
      "--git-dir",
      agents.repository.gitDir,
      "ls-tree",
      "-r",
      "--name-only",
      agents.result.result_tree ?? "",
    ]);
    expect(landed.toString().split("\n")).toEqual(["one/a.txt", "one/fine", "package.json", ""]);
    for (const { repository } of [commands, agents]) {
      for (const form of formsOf(token)) expect(allObjectsOf(repository)).not.toContain(form);
    }
  });

  it("is no object of the repository, wherever a command put it, and a file that has held it stays its author's", async () => {
    const leak = command(
      'head -c 4194300 /dev/zero > one/big; echo "$TOKEN" >> one/big; mkdir -p "one/$TOKEN"; echo > "one/$TOKEN/x"; echo more >> one/held',
      { secrets: ["TOKEN"], may_fail: true },
    );
    const held = { ...files, "one/held": `${token}\n`, "one/big": "" };
    const { result, repository } = await runJobOn(bench, held, { tasks: [taskOf(leak)] });
    expect(result.denials.map(({ input, rule }) => [input, rule]).sort()).toEqual([
      ["one/[redacted:secret]/x", "secret"],
      ["one/big", "secret"],
    ]);
    const kept = allObjectsOf(repository);
    expect(kept).toContain(`${token}\nmore\n`);
    expect(kept.split(token)).toHaveLength(3);
    for (const part of token.split("/")) expect(kept).not.toContain(` ${part}\0`);
  });
});

/** What any command can read of it, whether a commit leads there or not. */
function allObjectsOf({ gitDir }: Repository): string {
  const asked = ["--git-dir", gitDir, "cat-file", "--batch-all-objects", "--batch"];
  return execFileSync("git", asked, { maxBuffer: 2 ** 28 }).toString("latin1");
}

function formsOf(...secrets: string[]): string[] {
  return secrets.flatMap((secret) => {
    const encoded = Buffer.from(secret).toString("base64");
    return [secret, encoded.replace(/=+$/, ""), encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)];
  });
}

/** Every row of every table, artifacts unpacked as they are, and every file below the data folder. */
async function everythingKept(): Promise<string> {
  const { database, home } = bench.equipment;
  const names = await rowsOf(
    database.orm,
    sql`select table_name as name from information_schema.tables where table_schema = 'sheaf'`,
    z.object({ name: z.string() }),
  );
  const rows: string[] = [];
  for (const { name } of names) {
    const all = await rowsOf(database.orm, sql`select t.* from ${sql.raw(`sheaf."${name}"`)} t`, z.unknown());
    rows.push(
      JSON.stringify(all, (_, value) => (value?.type === "Buffer" ? Buffer.from(value.data).toString() : value)),
    );
  }
  const found = execFileSync("sh", ["-c", 'find "$1" -type f -exec cat {} +', "sh", join(home)], {
    maxBuffer: 2 ** 28,
  });
  return `${rows.join("\n")}\n${found.toString("latin1")}`;
}
