import { describe, expect, it } from "vitest";
import { readAgentFile } from "../../src/job/agent-file.ts";
import { wordsOf } from "../../src/job/agent-tools.ts";
import { jobOfStep, readJobRequest } from "../../src/job/read-job-file.ts";
import { resolveOrder } from "../../src/job/resolve-job.ts";
import { Fault } from "../../src/protocol/failure.ts";

const head = "---\nname: fixer\ndescription: Mends what lint finds\n";
const read = (front: string, body = "Mend it.") => readAgentFile(`${head}${front}---\n${body}\n`, "fixer.md");
const ids = (rules: readonly { id: string }[] | undefined) => rules?.map(({ id }) => id);

function refusal(make: () => unknown): string {
  try {
    make();
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown.remedy ? `${thrown.message}; ${thrown.remedy}` : thrown.message;
    throw thrown;
  }
  throw new Error("it was accepted");
}

describe("an agent file", () => {
  it("says instructions, and without tools limits nothing", () => {
    expect(read("model: inherit\ncolor: blue\neffort: high\n", "\nMend it.\n---\nNothing else.\n")).toEqual({
      description: "Mends what lint finds",
      instructions: "Mend it.\n---\nNothing else.",
    });
    expect(readAgentFile(`\ufeff${head}---`.replaceAll("\n", "\r\n"), "a.md")).toEqual({
      description: "Mends what lint finds",
      instructions: "",
    });
    expect(read("tools: '*'\nmodel: claude-opus-5\nmaxTurns: 7\n")).toEqual({
      description: "Mends what lint finds",
      instructions: "Mend it.",
      model: "claude-opus-5",
      turns: 7,
    });
  });

  it("names tools as people write them, in a line or a list", () => {
    const asLine = read("tools: Read, Grep, Bash(npm test:*), mcp__files__read, Agent(a, b), TodoWrite\n");
    expect(ids(asLine.allow)).toEqual(["Read", "Bash(npm test:*)", "mcp__files__read", "Agent(a)", "Agent(b)"]);
    expect(asLine.tools).toEqual(["read", "grep", "bash", "mcp__files__read", "agent", "submit"]);
    const asList = read("tools:\n  - Edit(src/**)\n  - MultiEdit\n  - Write\n");
    expect(ids(asList.allow)).toEqual(["Edit(src/**)", "Edit"]);
    expect(asList.tools).toEqual(["edit", "apply_edits", "ast_rewrite", "write", "delete", "submit"]);
  });

  it("cuts names at commas outside of parentheses, however many there are", () => {
    expect(wordsOf("Read, Bash(echo a, b), Agent(a, b),, Edit(x(1,2),y),Grep")).toEqual([
      ...["Read", "Bash(echo a, b)", "Agent(a, b)", "Edit(x(1,2),y)", "Grep"],
    ]);
    expect(wordsOf("Read),Grep")).toEqual(["Read)", "Grep"]);
    expect(wordsOf("Read,".repeat(200_000))).toHaveLength(200_000);
  });

  it("names no more tools than a person would", () => {
    expect(refusal(() => read(`tools: "${"Read,".repeat(2_001)}"\n`))).toMatch(
      /^fixer\.md:4:\d+: it has more than 10000 characters/,
    );
    expect(refusal(() => read(`disallowedTools: [${"Read, ".repeat(999)}"${"x".repeat(9_000)}"]\n`))).toMatch(
      /^fixer\.md:4:\d+: it has more than 10000 characters/,
    );
  });

  it("takes away what it disallows", () => {
    const file = read("disallowedTools: Bash, Write, Edit(docs/**), WebFetch(domain:example.com)\n");
    expect(ids(file.deny)).toEqual(["Bash", "Edit(docs/**)", "WebFetch(domain:example.com)"]);
    expect(file.allow).toBeUndefined();
    expect(file.tools).not.toContain("bash");
    expect(file.tools).not.toContain("write");
    expect(file.tools).toContain("edit");
    expect(ids(read("tools: Edit\ndisallowedTools: [Edit]\n").deny)).toEqual(["Edit"]);
  });

  it("is refused with its place where it says what cannot be held", () => {
    const refusals: Readonly<Record<string, RegExp>> = {
      "tools: Raed\n": /^fixer\.md:4:8: there is no tool "Raed"; did you mean Read\?$/,
      "disallowedTools: [Bash(npm test*)]\n": /^fixer\.md:4:18: the rule "Bash\(npm test\*\)" is refused: /,
      "tools: Grep(src)\n": /^fixer\.md:4:8: Grep\(src\) is refused: .*; write Read\(src\)$/,
      "disalowedTools: Bash\n":
        /^fixer\.md:4:17: "disalowedTools" is no key of an agent file; did you mean disallowedTools\?$/,
      "hooks: {}\n": /^fixer\.md:4:8: hooks is not built: /,
      "maxTurns: 0\n": /^fixer\.md:4:11: /,
      "mcpServers: [docs]\n": /^fixer\.md:4:13: mcpServers is not built: /,
      "model: scripted/../../etc/passwd\n":
        /^fixer\.md:4:8: "scripted\/\.\.\/\.\.\/etc\/passwd" is not for an agent file; name a model such as sonnet/,
      "model: replay/last\n": /^fixer\.md:4:8: "replay\/last" is not for an agent file/,
      "model: two words\n": /^fixer\.md:4:8: "two words" is no name of a model/,
      "permissionMode: bypassPermissions\n": /^fixer\.md:4:17: permissionMode is not built: /,
      "tools:\n": /^fixer\.md:4:\d+: /,
      "model: 3\n": /^fixer\.md:4:8: /,
      "description: again\n": /^fixer\.md:4:1: /,
      "tools: [Read\n": /^fixer\.md:\d+:\d+: /,
    };
    for (const [front, message] of Object.entries(refusals)) {
      expect([front, refusal(() => read(front))]).toEqual([front, expect.stringMatching(message)]);
    }
    expect(refusal(() => readAgentFile("Mend it.", "a.md"))).toMatch(/^a\.md:1:1: an agent file begins with front/);
    expect(refusal(() => readAgentFile("---\nname: a\n", "a.md"))).toMatch(/^a\.md:1:1: /);
    expect(refusal(() => readAgentFile("---\nname: a\n---\n", "a.md"))).toMatch(/"description" is missing/);
    expect(refusal(() => read("", "x".repeat(100_001)))).toMatch(/at most 100000 are read/);
  });
});

const texts: Record<string, string> = {
  "agents/fixer.md": `${head}tools: Read, Edit\ndisallowedTools: Bash\nmodel: opus\nmaxTurns: 30\n---\nMend it.`,
};
const agentFiles = {
  read: async (path: string) => texts[path],
  list: async () => Object.keys(texts).filter((path) => path.startsWith(".claude/agents/")),
};
const step = { prompt: "x", agent: "fixer", allow: ["Edit(src/**)"] };

function resolved(agent: Readonly<Record<string, unknown>>, rest: object = {}) {
  const job = { version: 1, agents: { fixer: agent }, each: [step], ...rest };
  const files = { "s.yaml": "- say: hello\n" };
  return resolveOrder(readJobRequest({ job, files }), { agentFiles });
}

describe("a job that uses one", () => {
  it("takes its instructions and limits, the job's model in the place of its own, and denies what both deny", async () => {
    const order = await resolved({ use: "agents/fixer.md", model: "scripted/s.yaml", deny: ["Edit(src/gen/**)"] });
    const [first] = order.each;
    expect(first).toMatchObject({
      allow: [{ id: "Edit(src/**)" }],
      agent: {
        name: "fixer",
        instructions: "Mend it.",
        model: { provider: "scripted" },
        allow: [{ id: "Read" }, { id: "Edit" }],
        deny: [{ id: "Bash" }, { id: "Edit(src/gen/**)" }],
        tools: ["read", "edit", "apply_edits", "ast_rewrite", "submit"],
      },
    });
  });

  it("takes the model its file asks for, and as many turns, where the job does not say less", async () => {
    const asked = {
      model: { provider: "messages", via: "anthropic", model: "claude-opus-5-5" },
      limits: { turns: 30 },
    };
    const file = { path: "agents/fixer.md", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) };
    const order = await resolved({ use: "agents/fixer.md" }, { model: "haiku" });
    expect(order.each[0]).toMatchObject({ agent: { ...asked, file, description: "Mends what lint finds" } });
    const narrowed = await resolved({ use: "agents/fixer.md", limits: { turns: 9, usd: 0.5 } });
    expect(narrowed.each[0]).toMatchObject({ agent: { limits: { turns: 9, nano_usd: 500_000_000 } } });
    const less = await resolved({ use: "agents/fixer.md", description: "x" }, { limits: { turns: 12 } });
    expect(less.each[0]).toMatchObject({ agent: { limits: { turns: 12 }, description: "x" } });
    const inline = await resolved({ limits: { turns: 80, time: "2m" } }, { limits: { turns: 12 } });
    expect(inline.each[0]).toMatchObject({ agent: { limits: { turns: 80, time_ms: 120_000 } } });
  });

  it("is refused where the commit has no such file", async () => {
    await expect(resolved({ use: "agents/none.md", model: "scripted/s.yaml" })).rejects.toThrow(
      'job.agents.fixer.use: the commit has no file "agents/none.md"',
    );
    const unused = { each: [{ codemod: "no-var" }] };
    await expect(resolved({ use: "agents/none.md" }, unused)).rejects.toThrow("job.agents.fixer.use");
  });

  it("says its mode and its rules, and the command line goes before the file", async () => {
    const permissions = { mode: "ask", ask: ["Bash(npm install:*)"], grant: ["Edit"] };
    const source = readJobRequest({ job: { version: 1, each: [{ codemod: "no-var" }], permissions } });
    expect((await resolveOrder(source, {})).permissions).toEqual({
      mode: "ask",
      allow: [],
      ask: [{ id: "Bash(npm install:*)", tool: "Bash", words: ["npm", "install"] }],
      deny: [],
      grant: [{ id: "Edit", tool: "Edit", paths: { directories: [""] } }],
    });
    const planned = await resolveOrder(source, { overrides: { permissionMode: "plan" } });
    expect(planned.permissions).toMatchObject({ mode: "plan", ask: [{ tool: "Bash" }] });
    expect(planned.written).toMatchObject({ permissions: { ...permissions, mode: "plan" } });
    const typed = jobOfStep({ codemod: "no-var" }, { name: "x", said: "--codemod", cwd: "/" });
    await expect(resolveOrder(typed, { overrides: { permissionMode: "yolo" } })).rejects.toThrow(
      '--permission-mode: "yolo" is no permission mode',
    );
  });
});
