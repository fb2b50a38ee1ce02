import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { threadFact } from "../../src/protocol/event.ts";
import { toolNames, toolSchemas } from "../../src/tools/catalog.ts";
import { judge } from "../../src/tools/judge.ts";
import { type Grant, openRun, type Run, sha256 } from "./open-run.ts";

const runs: Run[] = [];
function open(grant: Grant = {}): Run {
  const run = openRun(grant);
  runs.push(run);
  return run;
}
afterEach(() => {
  for (const run of runs.splice(0)) run.dispose();
});
const everything = { writes: [{ directories: [""] }] };

describe("a tool call", () => {
  it("becomes a fact that the protocol knows, a result, and one ended span with the decision", async () => {
    const run = open(everything);
    run.put("a.ts", "one\ntwo\n");
    const { fact, result } = await run.call("read", { file_path: "a.ts" });
    expect(threadFact.parse(fact)).toEqual(fact);
    expect(result).toEqual({ type: "tool_result", tool_use_id: "call", content: "     1\tone\n     2\ttwo" });
    const end = run.spans.at(-1);
    expect(end).toMatchObject({ at: "end", span: { name: "execute_tool read", status: "unset" } });
    expect(end?.span.attributes).toMatchObject({ "gen_ai.tool.name": "read", "sheaf.decision": "allow" });
    expect(run.spans).toHaveLength(2);
  });

  it("that reads enters the log as a pointer, not as the source", async () => {
    const run = open();
    run.put("a.ts", "secret sauce\n");
    const { fact } = await run.call("read", { file_path: "a.ts" });
    expect(fact.data).toMatchObject({
      is_error: false,
      pointer: { path: "a.ts", sha256: sha256("secret sauce\n"), bytes: 13, view_range: [1, 1] },
    });
    expect(JSON.stringify(fact)).not.toContain("sauce");
  });

  it("that edits names the git mode and blob of what it left", async () => {
    const run = open(everything);
    const { fact } = await run.call("write", { file_path: "a b/é.sh", content: "#!/bin/sh\n" });
    execFileSync("chmod", ["+x", join(run.root, "a b/é.sh")]);
    const blob = execFileSync("git", ["hash-object", "--stdin"], { input: "#!/bin/sh\n" }).toString().trim();
    expect(fact.data).toMatchObject({ changed: [{ path: "a b/é.sh", mode: "100644", blob }] });
    const again = await run.call("edit", { file_path: "a b/é.sh", old_string: "sh\n", new_string: "bash\n" });
    expect(again.fact.data).toMatchObject({ changed: [{ mode: "100755" }] });
    const gone = await run.call("delete", { file_path: "a b/é.sh" });
    expect(gone.fact.data).toMatchObject({ changed: [{ path: "a b/é.sh", mode: "100755", blob: null }] });
    expect(readdirSync(run.root)).toEqual([]);
  });

  it("for a tool that does not exist or was not offered is denied", async () => {
    const run = open({ tools: ["read"] });
    for (const name of ["bash", "write", "__proto__", "x".repeat(500)]) {
      const { fact, result } = await run.call(name, { file_path: "a" });
      expect(fact).toMatchObject({ type: "tool.denied", data: { rule: "not offered", input: '{"file_path":"a"}' } });
      expect(result.is_error).toBe(true);
    }
  });

  it("with a bad input is told which field is wrong, and is not a denial", async () => {
    const run = open(everything);
    const bad: [string, unknown, string][] = [
      ["read", {}, "file_path"],
      ["read", null, "input"],
      ["read", { file_path: "a", view_range: ["x", 2] }, "view_range.0"],
      ["write", { file_path: "a" }, "content"],
      ["write", { file_path: "a", content: "\ud800" }, "content"],
      ["write", { file_path: "a", content: "", mode: "777" }, "mode"],
      ["apply_edits", { files: [{ file_path: "a", expect_sha256: "x", edits: [] }] }, "files.0.expect_sha256"],
      ["apply_edits", { files: [] }, "files"],
      ["submit", { claims: [] }, "summary"],
    ];
    for (const [name, input, field] of bad) {
      const { fact, result } = await run.call(name, input);
      expect([name, fact.type, result.is_error]).toEqual([name, "tool.finished", true]);
      expect(result.content).toContain(field);
    }
    expect(readdirSync(run.root)).toEqual([]);
  });

  it("with an effect does not happen without the coordinator's word, nor against it", async () => {
    const run = open(everything);
    const input = { file_path: "a", content: "x" };
    const silent = await run.callUnjudged("write", input, undefined);
    expect(silent.fact).toMatchObject({ type: "tool.denied", data: { rule: "no intent" } });
    const decision = { effect: "deny" as const, rule: "Edit(x)", source: "job", reason: "because" };
    const refused = await run.callUnjudged("write", input, decision);
    expect(refused.result.content).toBe("Denied: because (rule Edit(x), job)");
    expect(readdirSync(run.root)).toEqual([]);
  });

  it("is decided once more in the thread, whatever the acknowledgement said", async () => {
    const run = open({ writes: [{ files: ["a"] }] });
    const decision = { effect: "allow" as const, rule: "forged", source: "task", reason: "" };
    const { fact } = await run.callUnjudged("write", { file_path: "b", content: "x" }, decision);
    expect(fact).toMatchObject({ type: "tool.denied", data: { input: "b", rule: "no rule" } });
    expect(readdirSync(run.root)).toEqual([]);
  });

  it("that is denied names the path, the rule and who made it, and its span says so", async () => {
    const run = open({ ...everything, deny: ["Read(secret/**)"] });
    run.put("secret/key", "k");
    const { fact, result } = await run.call("read", { file_path: "./secret/key" });
    expect(fact).toMatchObject({
      type: "tool.denied",
      data: { input: "./secret/key", rule: "Read(secret/**)", source: "job" },
    });
    expect(result.content).toMatch(/^Denied: .*"secret\/key".* \(rule Read\(secret\/\*\*\), job\)$/);
    expect(run.spans.at(-1)?.span.attributes).toMatchObject({
      "sheaf.decision": "deny",
      "sheaf.rule": "Read(secret/**)",
    });
    for (const path of ["../../.npmrc", "/etc/passwd", ".git/config", "a/.GIT/x", "secret\0"]) {
      for (const name of ["read", "write", "edit", "delete"]) {
        const input = { file_path: path, content: "", old_string: "a", new_string: "b" };
        const fields = { read: ["file_path"], write: ["file_path", "content"], delete: ["file_path"] }[name];
        const asked = Object.fromEntries(
          Object.entries(input).filter(([key]) => fields?.includes(key) ?? key !== "content"),
        );
        const denied = await run.call(name, asked);
        expect([name, path, denied.fact.type, denied.result.is_error]).toEqual([name, path, "tool.denied", true]);
      }
    }
  });

  it("through a symlink needs link and target", async () => {
    const run = open({ allow: ["Edit(src/**)"], deny: ["Edit(src/locked/**)"] });
    run.put("src/x", "x");
    run.put("lib/y", "y");
    run.put("src/locked/z", "z");
    symlinkSync("../lib/y", join(run.root, "src/to-lib"));
    symlinkSync("locked", join(run.root, "src/unlocked"));
    symlinkSync("../src", join(run.root, "lib/to-src"));
    symlinkSync("x", join(run.root, "src/good"));
    for (const path of ["src/to-lib", "src/unlocked/z", "src/unlocked/new", "lib/to-src/x"]) {
      const { fact } = await run.call("write", { file_path: path, content: "new" });
      expect([path, fact.type]).toEqual([path, "tool.denied"]);
    }
    const { fact } = await run.call("write", { file_path: "src/good", content: "new" });
    expect(fact.data).toMatchObject({ changed: [{ path: "src/x" }] });
    expect([run.text("src/x"), run.text("lib/y"), run.text("src/locked/z")]).toEqual(["new", "y", "z"]);
  });

  it("about the link itself deletes the link, wherever it points", async () => {
    const run = open(everything);
    writeFileSync(join(run.home, "outside"), "kept");
    symlinkSync(join(run.home, "outside"), join(run.root, "link"));
    const { fact } = await run.call("delete", { file_path: "link" });
    expect(fact.data).toMatchObject({ changed: [{ path: "link", mode: "120000", blob: null }] });
    expect(readdirSync(run.home)).toContain("outside");
  });

  it("that the disk refuses is a result, without paths of the machine", async () => {
    const run = open(everything);
    const { fact, result } = await run.call("write", { file_path: "x".repeat(300), content: "" });
    expect(fact.type).toBe("tool.finished");
    expect(result).toMatchObject({ is_error: true, content: expect.stringContaining("ENAMETOOLONG") });
    expect(result.content).not.toContain(run.root);
  });

  it("is judged by names as the file system has them where case is ignored", async () => {
    const run = open({ ...everything, deny: ["Read(Secret/**)"], isCaseInsensitive: true });
    run.put("Secret/key", "k");
    run.put("src/a.ts", "a");
    expect((await run.call("read", { file_path: "sECRET/KEY" })).fact.type).toBe("tool.denied");
    const { fact } = await run.call("write", { file_path: "SRC/A.TS", content: "b" });
    expect(fact.data).toMatchObject({ changed: [{ path: "src/a.ts" }] });
    expect(readdirSync(join(run.root, "src"))).toEqual(["a.ts"]);
  });
});

describe("the judge", () => {
  it("names the first denied path of a call over many files", async () => {
    const run = open({
      writes: [{ files: Array.from({ length: 500 }, (_, index) => `src/${index % 50}/${index}.ts`) }],
    });
    const edits = Array.from({ length: 500 }, (_, index) => ({
      file_path: `src/${index % 50}/${index}.ts`,
      expect_sha256: sha256(""),
      edits: [],
    }));
    const ask = (files: unknown) => judge({ type: "tool_use", id: "c", name: "apply_edits", input: { files } }, run);
    expect((await ask(edits)).decision.effect).toBe("allow");
    const forbidden = { ...edits[0], file_path: "other.ts" };
    expect(await ask([...edits, forbidden, { ...forbidden, file_path: "third.ts" }])).toMatchObject({
      subject: "other.ts",
      decision: { effect: "deny", rule: "no rule", reason: expect.stringContaining('"other.ts"') },
    });
  });

  it("refuses a tool that was not offered, and lets a malformed call fail by itself", async () => {
    const run = open({ ...everything, tools: ["read", "write"] });
    const ask = async (name: string, input: unknown) =>
      (await judge({ type: "tool_use", id: "c", name, input }, run)).decision;
    expect(await ask("delete", { file_path: "a" })).toMatchObject({ effect: "deny", rule: "not offered" });
    expect(await ask("write", { file_path: 7 })).toMatchObject({ effect: "allow", rule: "no path" });
    mkdirSync(join(run.root, "d"));
    symlinkSync("/etc", join(run.root, "d/etc"));
    expect(await ask("write", { file_path: "d/etc/x", content: "" })).toMatchObject({
      effect: "deny",
      rule: "symlink",
    });
  });
});

describe("the catalogue", () => {
  it("offers each tool with a description and a JSON schema of an object", () => {
    expect(toolNames).toEqual([
      "read",
      "write",
      "edit",
      "glob",
      "grep",
      "list",
      "delete",
      "apply_edits",
      "ast_rewrite",
      "bash",
      "agent",
      "submit",
    ]);
    for (const schema of toolSchemas(toolNames)) {
      expect(schema.input_schema).toMatchObject({ type: "object", properties: expect.any(Object) });
      expect(schema.description.length).toBeGreaterThan(40);
    }
    expect(toolSchemas(["edit", "nope", "read"]).map((schema) => schema.name)).toEqual(["read", "edit"]);
  });
});
