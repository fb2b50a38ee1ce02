import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Call, decideCall } from "../../src/permission/call.ts";
import { childScope, narrow, type ScopeRequest } from "../../src/permission/child-scope.ts";
import { offeredTools, ruleToolOf } from "../../src/permission/offered-tools.ts";
import { readsAll } from "../../src/permission/reads-all.ts";
import { parseRule } from "../../src/permission/rule.ts";
import { taskScope } from "../../src/permission/task-scope.ts";
import type { Decision, PathPattern, PermissionMode, Rule, Scope, ScopeLayer } from "../../src/protocol/scope.ts";

const facts = { isCaseInsensitive: false };
const strictness = { allow: 0, ask: 1, deny: 2 } as const;
const effectOf = (scope: Scope, call: Call): Decision["effect"] => decideCall(scope, call, facts).effect;

const calls: Call[] = [
  { tool: "Read", path: "src/a.ts", isDirectory: false },
  { tool: "Edit", path: "src/a.ts", isDirectory: false },
  { tool: "Edit", path: ".npmrc", isDirectory: false },
  { tool: "Bash", command: "npm test" },
  { tool: "Bash", command: "npm test -- -t x && git status" },
  { tool: "Bash", command: "echo $(git push)" },
  { tool: "WebFetch", host: "api.example.com" },
  { tool: "WebFetch", host: "example.com" },
  { tool: "Mcp", server: "files", name: "read" },
  { tool: "Agent", name: "fixer" },
];
const texts = [
  ...["Read", "Edit", "Read(src/**)", "Edit(src/**)", "Edit(/src/a.ts)", "Edit(*.ts)", "Edit(.npmrc)", "Read(docs/)"],
  ...["Bash", "Bash(npm test)", "Bash(npm test:*)", "Bash(git:*)", "Bash(git push:*)", "Bash(echo:*)"],
  ...["WebFetch", "WebFetch(domain:*.example.com)", "WebFetch(domain:example.com)"],
  ...["mcp__files", "mcp__files__read", "mcp__files__write", "mcp__other", "Agent", "Agent(fixer)", "Agent(other)"],
];
const known: readonly Rule[] = texts.map(parseRule);

const call = fc.constantFrom(...calls);
const rules = (maxLength: number) => fc.array(fc.constantFrom(...known), { maxLength });
const mode = fc.constantFrom<PermissionMode | undefined>("ask", "deny", "plan", undefined);
const layer: fc.Arbitrary<ScopeLayer> = fc.record(
  {
    source: fc.constantFrom("task", "job", "agent", "operator"),
    allow: rules(8),
    limits: fc.subarray(["Read", "Edit", "Bash", "WebFetch", "Agent", "Mcp"] as const),
    ask: rules(2),
    deny: rules(2),
  },
  { requiredKeys: ["source", "deny"] },
);
const grant = fc.record({
  writes: fc.array(fc.constantFrom<PathPattern>({ glob: "src/**" }, { files: ["src/a.ts"] }, { directories: [""] }), {
    maxLength: 2,
  }),
  job: fc.record({ allow: rules(8), ask: rules(2), deny: rules(1), grant: rules(6), mode }),
  agent: fc.record({ name: fc.constant("x"), allow: fc.option(rules(8), { nil: undefined }), deny: rules(1) }),
  ceiling: fc.record({ allow: rules(12), ask: rules(1), deny: rules(1) }, { requiredKeys: ["ask", "deny"] }),
  tools: fc.constant(["read", "edit", "bash", "web_fetch", "mcp__files__read", "agent", "submit"]),
});
const request: fc.Arbitrary<ScopeRequest> = fc
  .record({ allow: rules(8), ask: rules(2), deny: rules(1), grant: rules(4), mode })
  .map(({ mode: asked, ...rest }) => ({ source: "request", ...rest, ...(asked ? { mode: asked } : {}) }));
const nothing: Scope = { layers: [], tools: [] };
const runs = { numRuns: 2_000 };

/** What an agent with this scope may give away: what it was given to grant, and where nothing is said what it holds. */
function givenAway(scope: Scope): Scope {
  const { grantable, ...own } = scope;
  return { ...own, layers: grantable ?? scope.layers };
}

describe("a tree of scopes", () => {
  it("lets no descendant do what any ancestor may not grant, whatever is asked for", () => {
    fc.assert(
      fc.property(grant, fc.array(request, { minLength: 1, maxLength: 4 }), call, (root, requests, asked) => {
        const chain = [taskScope(root)];
        for (const each of requests) chain.push(childScope(chain.at(-1) ?? nothing, each));
        const last = strictness[effectOf(chain.at(-1) ?? nothing, asked)];
        for (const ancestor of chain.slice(0, -1)) {
          expect(last).toBeGreaterThanOrEqual(strictness[effectOf(givenAway(ancestor), asked)]);
        }
      }),
      { numRuns: 10_000 },
    );
  });

  it("gives a child what was asked for where all above grant it, although they do not hold it", () => {
    const root = taskScope({
      writes: [],
      job: { allow: [parseRule("Agent")], deny: [], grant: [parseRule("Edit(src/**)"), parseRule("Bash(npm test:*)")] },
      agent: { name: "lead", allow: [parseRule("Read"), parseRule("Agent")] },
      ceiling: { allow: ["Read", "Edit", "Bash", "Agent"].map(parseRule), ask: [], deny: [] },
      tools: ["read", "edit", "bash", "agent"],
    });
    expect(root.tools).toEqual(["read", "agent"]);
    expect(effectOf(root, { tool: "Edit", path: "src/a.ts", isDirectory: false })).toBe("deny");
    const tools = ["read", "edit", "bash"];
    const child = childScope(root, { source: "request", allow: ["Read", "Edit", "Bash"].map(parseRule), tools });
    expect(child.tools).toEqual(tools);
    expect(effectOf(child, { tool: "Edit", path: "src/a.ts", isDirectory: false })).toBe("allow");
    expect(effectOf(child, { tool: "Edit", path: "lib/a.ts", isDirectory: false })).toBe("deny");
    expect(effectOf(child, { tool: "Bash", command: "npm test" })).toBe("allow");
    expect(effectOf(child, { tool: "Bash", command: "npm install" })).toBe("deny");
    const without = childScope(child, { source: "request", allow: [parseRule("Read")] });
    expect(without.tools).toEqual(["read"]);
    expect(childScope({ layers: [], tools: [] }, { source: "request", allow: known }).layers).toEqual([]);
  });
});

const scope: fc.Arbitrary<Scope> = fc
  .record({ layers: fc.array(layer, { maxLength: 4 }), mode })
  .map(({ layers, mode: asked }) => ({ layers, tools: [], ...(asked ? { mode: asked } : {}) }));

describe("any scope, for every tool", () => {
  it("is never widened by another layer, wherever behind the first it stands", () => {
    fc.assert(
      fc.property(scope, layer, fc.nat(), call, (given, more, at, asked) => {
        fc.pre(given.layers.length > 0);
        const layers = given.layers.toSpliced(1 + (at % given.layers.length), 0, more);
        expect(strictness[effectOf({ ...given, layers }, asked)]).toBeGreaterThanOrEqual(
          strictness[effectOf(given, asked)],
        );
        expect(strictness[effectOf(narrow(given, more), asked)]).toBeGreaterThanOrEqual(
          strictness[effectOf(given, asked)],
        );
      }),
      runs,
    );
  });

  it("denies what any rule denies, and asks where any rule asks and nothing denies", () => {
    fc.assert(
      fc.property(scope, fc.nat(), call, (given, at, asked) => {
        fc.pre(given.layers.length > 0);
        const index = at % given.layers.length;
        const whole = parseRule(asked.tool === "Mcp" ? "mcp__files" : asked.tool);
        const withRule = (list: "ask" | "deny") => ({
          ...given,
          layers: given.layers.map((each, place) =>
            place === index ? { ...each, [list]: [...(each[list] ?? []), whole] } : each,
          ),
        });
        expect(effectOf(withRule("deny"), asked)).toBe("deny");
        const questioned = effectOf(withRule("ask"), asked);
        const before = effectOf(given, asked);
        expect(questioned).not.toBe("allow");
        if (before !== "deny") expect(questioned).toBe("ask");
      }),
      runs,
    );
  });

  it("under mode plan reads, and does nothing else", () => {
    fc.assert(
      fc.property(scope, call, (given, asked) => {
        const effect = effectOf({ ...given, mode: "plan" }, asked);
        if (asked.tool !== "Read") expect(effect).toBe("deny");
        else expect(effect).toBe(effectOf({ ...given, mode: "deny" }, asked));
      }),
      runs,
    );
  });

  it("asks under mode ask only about what the first layer does not speak of", () => {
    fc.assert(
      fc.property(scope, call, (given, asked) => {
        const asking = effectOf({ ...given, mode: "ask" }, asked);
        const denying = effectOf({ ...given, mode: "deny" }, asked);
        if (asking === denying) return;
        expect([denying, asking]).toEqual(["deny", "ask"]);
        const silent = { ...given, layers: given.layers.slice(0, 1) };
        expect(decideCall({ ...silent, mode: "deny" }, asked, facts).effect).toBe("deny");
      }),
      runs,
    );
  });

  it("offers every tool that some call could be allowed for", () => {
    const offered = ["read", "edit", "bash", "web_fetch", "mcp__files__read", "agent"];
    fc.assert(
      fc.property(scope, call, (given, asked) => {
        if (effectOf(given, asked) === "deny") return;
        const tools = offeredTools(given, [...offered, "submit"]);
        expect(tools).toContain(offered.find((name) => ruleToolOf(name) === asked.tool));
        expect(tools).toContain("submit");
      }),
      runs,
    );
  });

  it("says that all may be read only where all is", () => {
    fc.assert(
      fc.property(scope, fc.constantFrom("src/a.ts", "docs/x", "a", ".npmrc"), (given, path) => {
        if (readsAll(given)) expect(effectOf(given, { tool: "Read", path, isDirectory: false })).toBe("allow");
      }),
      runs,
    );
  });
});

describe("a decision", () => {
  const ruled = (allow: string[], more: { ask?: string[]; deny?: string[]; mode?: PermissionMode } = {}) =>
    taskScope({
      writes: [{ glob: "src/**" }],
      job: {
        allow: allow.map(parseRule),
        ask: (more.ask ?? []).map(parseRule),
        deny: (more.deny ?? []).map(parseRule),
        mode: more.mode,
      },
      tools: [],
    });

  it("names the rule, where it came from, and why", () => {
    const scope = ruled(["Bash(npm:*)"], { ask: ["Bash(npm install:*)"], deny: ["Bash(git push:*)"] });
    const decided = (command: string) => decideCall(scope, { tool: "Bash", command }, facts);
    expect(decided("npm test")).toMatchObject({ effect: "allow", rule: "Bash(npm:*)", source: "task" });
    expect(decided("npm install x")).toMatchObject({ effect: "ask", rule: "Bash(npm install:*)" });
    expect(decided("npm test; sh -c 'git push'")).toMatchObject({
      effect: "deny",
      rule: "Bash(git push:*)",
      source: "job",
    });
    expect(decided("make")).toEqual({
      effect: "deny",
      rule: "no rule",
      source: "task",
      reason: 'no Bash rule of the task covers the command "make"; it allows Bash(npm:*)',
    });
  });

  it("about a protected path is a denial unless a rule that allows names it, whatever is asked", () => {
    const edit = { tool: "Edit", path: ".npmrc", isDirectory: false } as const;
    expect(effectOf(ruled(["Edit"], { mode: "ask" }), edit)).toBe("deny");
    expect(effectOf(ruled([], { mode: "ask", ask: ["Edit(.npmrc)"] }), edit)).toBe("deny");
    expect(effectOf(ruled(["Edit(.npmrc)"], { ask: ["Edit(.npmrc)"] }), edit)).toBe("ask");
    expect(effectOf(ruled(["Edit(.npmrc)"]), edit)).toBe("allow");
  });

  it("says of mode plan that it is the mode", () => {
    const edit = { tool: "Edit", path: "src/a.ts", isDirectory: false } as const;
    expect(decideCall(ruled([], { mode: "plan" }), edit, facts)).toMatchObject({
      effect: "deny",
      rule: "mode: plan",
      reason: expect.stringContaining("permission mode is plan"),
    });
  });
});
