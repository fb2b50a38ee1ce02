import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openSheaf, patience, type Sheaf } from "../support/sheaf.ts";
import { fingerprint, type Playground, playground } from "../workspace/playground.ts";

/** One agent that tries every way out of its scope, beside one that works; and what an agent can see of the rest. */
let ground: Playground;
let sheaf: Sheaf;

beforeAll(() => {
  ground = playground();
  ground.write("mine/a.txt", "mine\n");
  ground.write("mine/deep/b.txt", "deep\n");
  ground.write("theirs/c.txt", "theirs\n");
  ground.write("far/away/d.txt", "a far line\n");
  ground.write("far/e.js", "far\n");
  ground.write("secret/key.txt", "hush\n");
  writeFileSync(join(ground.folder, "outside.txt"), "outside\n");
  ground.gitIn(
    ground.user,
    undefined,
    "update-index",
    "--add",
    "--cacheinfo",
    `120000,${link("../../outside.txt")},mine/out`,
  );
  ground.gitIn(
    ground.user,
    undefined,
    "update-index",
    "--add",
    "--cacheinfo",
    `120000,${link("../theirs/c.txt")},mine/over`,
  );
  ground.gitIn(ground.user, undefined, "update-index", "--add", "--cacheinfo", `120000,${link("../far")},mine/view`);
  ground.git("checkout-index", "-a");
  ground.commit();
  sheaf = openSheaf({ inProcess: true });
});
afterAll(async () => {
  await sheaf[Symbol.asyncDispose]();
  await ground[Symbol.asyncDispose]();
});

function link(target: string): string {
  return ground.gitIn(ground.user, target, "hash-object", "-w", "--stdin").toString().trim();
}

type Call = { tool: string; input: object };
const write = (file_path: string): Call => ({ tool: "write", input: { file_path, content: "broken out\n" } });
const read = (file_path: string): Call => ({ tool: "read", input: { file_path } });
const list = (path: string): Call => ({ tool: "list", input: { path } });
const glob = (pattern: string, path?: string): Call => ({
  tool: "glob",
  input: { pattern, ...(path ? { path } : {}) },
});

function task(id: string, calls: readonly Call[]) {
  sheaf.write(`${id}.yaml`, JSON.stringify(calls.map((call) => ({ calls: [call] }))));
  return {
    agent: { [id]: { model: `scripted/${id}.yaml` } },
    task: { id, writes: [id], steps: [{ prompt: "go", agent: id }] },
  };
}

async function run(name: string, parts: readonly ReturnType<typeof task>[]) {
  const agents = Object.assign({}, ...parts.map(({ agent }) => agent));
  const permissions = { deny: ["Read(/secret/**)"] };
  const job = { version: 1, agents, permissions, tasks: parts.map((part) => part.task) };
  return sheaf.job([sheaf.write(`${name}.yaml`, JSON.stringify(job)), "--repo", ground.user]);
}

async function eventsOf(task: string) {
  const { stdout } = await sheaf.call(["logs", "last", "--task", task, "--output-format", "json"]);
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

describe("an agent's scope", { timeout: patience }, () => {
  it("holds against every way out: each is denied, shown and in the log, and the run goes on", async () => {
    const ways: Call[] = [
      write("../outside.txt"),
      write("mine/../../outside.txt"),
      write(join(ground.folder, "outside.txt")),
      write("/etc/sheaf-was-here"),
      write("mine/out"),
      write("mine/over"),
      write("theirs/c.txt"),
      write(".git/config"),
      write("mine/.git/hooks/post-checkout"),
      write("mine/.npmrc"),
      write("mine/.gitattributes"),
      { tool: "delete", input: { file_path: "theirs/c.txt" } },
      { tool: "edit", input: { file_path: "far/e.js", old_string: "far", new_string: "near" } },
      { tool: "apply_edits", input: { files: [edits("theirs/c.txt")] } },
      { tool: "bash", input: { command: "touch /tmp/x" } },
      read("../outside.txt"),
      read("/etc/hostname"),
      read("mine/out"),
      read(".git/config"),
      read("secret/key.txt"),
      list(".."),
      list("/"),
      glob("*", ".."),
    ];
    const before = fingerprint(ground.folder, { withTimes: true });
    const { result, stderr } = await run("escape", [
      task("mine", [...ways, write("mine/new.txt")]),
      task("theirs", [write("theirs/new.txt")]),
    ]);
    expect(result).toMatchObject({ outcome: "succeeded", exit_code: 0 });
    expect(result.tasks).toMatchObject([
      { id: "mine", landed: true, files_changed: 1 },
      { id: "theirs", landed: true, files_changed: 1 },
    ]);
    expect(result.denials.map(({ task, tool }) => `${task} ${tool}`)).toEqual(ways.map(({ tool }) => `mine ${tool}`));
    expect(result.denials.filter(({ rule }) => rule === "protected").map(({ input }) => input)).toEqual([
      ".git/config",
      "mine/.git/hooks/post-checkout",
      "mine/.npmrc",
      "mine/.gitattributes",
      ".git/config",
    ]);
    expect(stderr.match(/^DENIED mine: /gm)).toHaveLength(ways.length);
    const events = await eventsOf("mine");
    const denied = events.filter((event) => event.type === "tool.denied").map((event) => event.data);
    expect(denied.map(({ tool, rule, reason }) => ({ tool, rule, reason }))).toEqual(
      result.denials.map(({ tool, rule, reason }) => ({ tool, rule, reason })),
    );
    expect(events.map((event) => event.type)).not.toContain("tool.failed");
    expect(fingerprint(ground.folder, { withTimes: true })).toEqual(before);
    const { stdout } = await sheaf.call(["diff", "last"]);
    expect(stdout.match(/^\+\+\+ .*/gm)).toEqual(["+++ b/mine/new.txt", "+++ b/theirs/new.txt"]);
    expect((await sheaf.call(["show", "last"])).stdout).toContain(`DENIED ${ways.length}`);
  });

  it("lets it read, list and search what its sparse workspace does not hold, and no more than it may", async () => {
    await run("look", [
      task("mine", [
        read("far/away/d.txt"),
        read("mine/view/away/d.txt"),
        read("mine/over"),
        list("far"),
        list("."),
        glob("**/*.txt"),
        glob("*.js", "far"),
        { tool: "write", input: { file_path: "mine/d.txt", content: "a far line\n" } },
      ]),
    ]);
    const answers = (await eventsOf("mine")).flatMap((event) =>
      event.type === "tool.finished" ? [`${event.data.tool} ${event.data.is_error} ${event.data.content}`] : [],
    );
    expect(answers).toHaveLength(8);
    expect(answers.filter((answer) => / true /.test(answer))).toEqual([]);
    const [, , , far = "", top = "", texts = "", scripts = ""] = answers;
    expect(far).toMatch(/away\/[\s\S]*e\.js/);
    expect(top).toMatch(/far\/[\s\S]*mine\/[\s\S]*theirs\//);
    expect(texts).toMatch(/far\/away\/d\.txt[\s\S]*mine\/a\.txt[\s\S]*theirs\/c\.txt/);
    expect(`${top} ${texts}`).not.toContain("key.txt");
    expect(scripts).toContain("far/e.js");
    expect(readFileSync(join(ground.user, "far/away/d.txt"), "utf8")).toBe("a far line\n");
  });
});

function edits(file_path: string) {
  return { file_path, expect_sha256: "0".repeat(64), edits: [{ start: 0, end: 1, text: "x" }] };
}
