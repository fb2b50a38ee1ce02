import { describe, expect, it } from "vitest";
import { decideCall, parseCall } from "../../src/permission/call.ts";
import { explainCall } from "../../src/permission/explain-call.ts";
import { exactRule } from "../../src/permission/suggest-rule.ts";
import { taskScope } from "../../src/permission/task-scope.ts";
import { readRule } from "../../src/permission/written-rule.ts";
import { Fault } from "../../src/protocol/failure.ts";

const facts = { isCaseInsensitive: false };
const rules = (...texts: string[]) => texts.map((text) => readRule(text, "allow"));
const scope = taskScope({
  writes: [{ glob: "/src/**" }, { files: ["docs/[id].md", "a b.txt"] }, { directories: ["packages/core"] }],
  job: {
    allow: rules(
      ...[
        "Edit(/.github/workflows/ci.yml)",
        "Edit(*.snap)",
        "Bash(npm test:*)",
        "Bash(npm run lint)",
        "Bash(git diff:*)",
      ],
      ...[
        "WebFetch(domain:*.example.com)",
        "WebFetch(domain:example.org)",
        "mcp__files",
        "mcp__web__fetch",
        "Agent(fixer)",
      ],
    ),
    ask: [readRule("Bash(npm install:*)", "ask")],
    deny: [readRule("Read(*.pem)", "deny"), readRule("Bash(git push:*)", "deny")],
  },
  step: { allow: rules("Edit", "Bash", "WebFetch", "mcp__files", "mcp__web", "Agent") },
  agent: {
    name: "fixer",
    allow: rules(
      "Read",
      "Edit",
      "Bash(npm:*)",
      "Bash(npm install:*)",
      "Bash(git diff:*)",
      "WebFetch",
      "mcp__files",
      "mcp__web",
      "Agent",
    ),
  },
  ceiling: { allow: rules("Read", "Edit", "Bash", "WebFetch", "mcp__files", "mcp__web", "Agent"), ask: [], deny: [] },
  tools: ["read", "edit", "bash"],
});
const effectOf = (call: string) => decideCall(scope, parseCall(call), facts).effect;

describe("ordinary work", () => {
  const allowed = [
    ...[
      "Read(README.md)",
      "Read(src)",
      "Read(.)",
      "Read(./lib/x.ts)",
      "Read(.gitignore)",
      "Read(.github/workflows/x.yml)",
    ],
    ...[
      "Edit(src/a.ts)",
      "Edit(src/new/deep/file.test.ts)",
      "Edit(src/.eslintrc)",
      "Edit(docs/[id].md)",
      "Edit(a b.txt)",
    ],
    ...["Edit(packages/core/index.ts)", "Edit(test/__snapshots__/a.snap)", "Edit(.github/workflows/ci.yml)"],
    ...["Edit(src/git.ts)", "Edit(src/github/workflows/x.ts)", "Edit(src/package.json)", "Edit(src/é/👍.ts)"],
    ...[
      "Bash(npm test)",
      "Bash(npm test -- -t 'adds tax')",
      "Bash(CI=1 npm test 2>&1 | npm test)",
      "Bash(git diff --stat)",
    ],
    ...["Bash(npm test && git diff > src/out.txt)", "Bash(timeout 60 npm test)", "Bash(npm run lint)"],
    ...["WebFetch(domain:api.example.com)", "WebFetch(https://a.b.example.com/x?y=1)", "WebFetch(domain:EXAMPLE.org)"],
    ...["mcp__files__read", "mcp__files__write_all", "mcp__web__fetch", "Agent(fixer)"],
  ];
  it.each(allowed)("is allowed, without a question: %s", (call) => {
    expect(effectOf(call)).toBe("allow");
  });

  const other = [
    ...[
      "Read(key.pem)",
      "Read(src/key.pem)",
      "Edit(src/key.pem)",
      "Edit(lib/x.ts)",
      "Edit(src2/a.ts)",
      "Edit(docs/i.md)",
    ],
    ...[
      "Edit(.github/workflows/cd.yml)",
      "Edit(src/.npmrc)",
      "Edit(src/CLAUDE.md)",
      "Edit(src/.git/x)",
      "Read(.git/HEAD)",
    ],
    ...["Bash(npm run build)", "Bash(npm run lint --fix)", "Bash(npm tests)", "Bash(git diff; git push)", "Bash(ls)"],
    ...[
      "Bash(npm test $(git push))",
      "Bash(npm test > lib/x)",
      "WebFetch(domain:example.com)",
      "WebFetch(domain:x.org)",
    ],
    ...["WebFetch(domain:notexample.org)", "WebFetch(domain:example.org.evil.net)", "mcp__web__post", "Agent(other)"],
  ];
  it.each(other)("is told from what was not allowed: %s", (call) => {
    expect(effectOf(call)).toBe("deny");
  });

  it("is asked about where a rule asks", () => {
    expect(explainCall(scope, parseCall("Bash(npm install left-pad)"), facts)).toMatchObject({
      effect: "ask",
      rule: "Bash(npm install:*)",
    });
  });
});

describe("a rule that would allow a call", () => {
  it("is the narrowest, and does", () => {
    const calls = [
      "Edit(src/a.ts)",
      "Edit(app/[id]/(shop)/a b.tsx)",
      "Read(!x)",
      "Read(#a)",
      "Edit(dir/)",
      "Edit(.npmrc)",
    ];
    const more = [
      "Bash(npm test)",
      "Bash(git log -5 --oneline)",
      "WebFetch(domain:a.example)",
      "mcp__a__b",
      "Agent(x)",
    ];
    for (const text of [...calls, ...more, "Edit(trailing )", "Edit(a\\b)", "Edit(*)", "Edit(é.ts)"]) {
      const call = parseCall(text);
      const rule = exactRule(call);
      expect([text, rule === undefined]).toEqual([text, false]);
      const only = taskScope({ writes: [], job: { allow: rules(rule ?? "Agent"), deny: [] }, tools: [] });
      expect([text, decideCall(only, call, facts).effect]).toEqual([text, "allow"]);
    }
    expect(exactRule(parseCall("Edit(a.ts)"))).toBe("Edit(/a.ts)");
    for (const text of ["Bash(a; b)", "Bash(npm test > x)", "Bash(rg 'a b')", "Bash(eval x)", "Read(.git/HEAD)"]) {
      expect([text, exactRule(parseCall(text))]).toEqual([text, undefined]);
    }
  });
});

describe("an example of a rule", () => {
  const read = (rule: string, list: "allow" | "ask" | "deny", match: string[], not_match: string[] = []) =>
    readRule({ rule, match, not_match }, list).id;

  it("is tried as the list it stands in would decide it", () => {
    const tests = ["npm test", "npm test -- -t 'a b'", "CI=1 npm test", "Bash(npm test)"];
    expect(read("Bash(npm test:*)", "allow", tests, ["npm tests", "npm test; rm x", "npm test $(id)"])).toBeTruthy();
    expect(read("Bash(rm:*)", "deny", ["rm x", "sh -c 'rm x'", "ls && rm x"], ["ls", "echo rm"])).toBeTruthy();
    expect(read("Bash(rm:*)", "ask", ["find . -exec rm {} +"], ["ls"])).toBeTruthy();
    expect(read("Edit(src/**)", "allow", ["src/a.ts"], ["lib/a.ts", "src"])).toBeTruthy();
    expect(read("Read(*.pem)", "deny", ["a/b.pem"], ["b.pem.txt"])).toBeTruthy();
    expect(read("WebFetch(domain:*.example.com)", "allow", ["a.example.com"], ["example.com"])).toBeTruthy();
    expect(read("mcp__files", "ask", ["mcp__files__read"], ["mcp__other__read"])).toBeTruthy();
    expect(read("Agent(fixer)", "allow", ["fixer"], ["other"])).toBeTruthy();
  });

  it("that disagrees, or is none, is an error", () => {
    expect(() => read("Bash(npm test:*)", "allow", ["npm run test"])).toThrow(
      /does not cover its example "npm run test"/,
    );
    expect(() => read("Bash(npm:*)", "allow", [], ["npm test"])).toThrow(/covers "npm test", which it must not/);
    expect(() => read("Edit(src/**)", "allow", ["../x"])).toThrow(Fault);
    expect(() => read("mcp__files", "allow", ["read"])).toThrow(Fault);
  });

  it("is not needed to refuse an allow rule that could never allow anything", () => {
    for (const text of ["Bash(sudo:*)", "Bash(xargs:*)", "Bash(bash -c:*)", "Bash(eval x)", "Bash(node -e:*)"]) {
      expect(() => readRule(text, "allow"), text).toThrow(/could never allow anything/);
      expect(readRule(text, "deny")).toMatchObject({ tool: "Bash" });
    }
  });
});
