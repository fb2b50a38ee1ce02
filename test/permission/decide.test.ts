import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { narrow } from "../../src/permission/child-scope.ts";
import { decide, decideBoth, mayHoldAllowed } from "../../src/permission/decide.ts";
import { parseRule } from "../../src/permission/rule.ts";
import { taskScope } from "../../src/permission/task-scope.ts";
import type { PathPattern, PathTool, Rule, Scope, ScopeLayer } from "../../src/protocol/scope.ts";

const exact = { isCaseInsensitive: false };
const loose = { isCaseInsensitive: true };

function scopeOf(allow: string[], deny: string[] = [], writes: PathPattern[] = []): Scope {
  const job = { allow: allow.map(parseRule), deny: deny.map(parseRule) };
  return taskScope({ writes, job, tools: ["read", "edit"] });
}

const effectOf = (scope: Scope, tool: PathTool, path: string, facts = exact) => decide(scope, tool, path, facts).effect;

describe("a task's scope", () => {
  it("reads the whole repository and edits what the task writes", () => {
    const scope = scopeOf([], [], [{ files: ["src/a.ts"] }, { directories: ["docs"] }, { glob: "/*.md" }]);
    expect(effectOf(scope, "Read", "lib/deep/x.ts")).toBe("allow");
    expect(effectOf(scope, "Edit", "src/a.ts")).toBe("allow");
    expect(effectOf(scope, "Edit", "docs/x/y.md")).toBe("allow");
    expect(effectOf(scope, "Edit", "README.md")).toBe("allow");
    expect(effectOf(scope, "Edit", "src/b.ts")).toBe("deny");
    expect(effectOf(scope, "Edit", "docs2/x")).toBe("deny");
    expect(effectOf(scope, "Edit", "sub/README.md")).toBe("deny");
  });

  it("is widened by what the job allows and ended by what the job denies", () => {
    const scope = scopeOf(["Edit(src/**)"], ["Edit(src/secret/)", "Read(*.pem)"]);
    expect(effectOf(scope, "Edit", "src/x.ts")).toBe("allow");
    expect(decide(scope, "Edit", "src/secret/x.ts", exact)).toMatchObject({ rule: "Edit(src/secret/)", source: "job" });
    expect(effectOf(scope, "Read", "src/secret/x.ts")).toBe("allow");
    expect(effectOf(scope, "Read", "src/key.pem")).toBe("deny");
    expect(decide(scope, "Edit", "src/key.pem", exact)).toMatchObject({ effect: "deny", rule: "Read(*.pem)" });
  });

  it("is narrowed by an agent's list, and reading stays when the list is silent about it", () => {
    const agent = { name: "fixer", allow: [parseRule("Edit(src/**)"), parseRule("Edit(etc/**)")] };
    const scope = taskScope({ writes: [{ glob: "src/a.ts" }], job: { allow: [], deny: [] }, agent, tools: [] });
    expect(effectOf(scope, "Edit", "src/a.ts")).toBe("allow");
    expect(effectOf(scope, "Edit", "src/b.ts")).toBe("deny");
    expect(effectOf(scope, "Edit", "etc/a.ts")).toBe("deny");
    expect(effectOf(scope, "Read", "lib/x.ts")).toBe("allow");
    const silent = { name: "mute", allow: [] };
    const none = taskScope({ writes: [{ glob: "a" }], job: { allow: [], deny: [] }, agent: silent, tools: [] });
    expect(effectOf(none, "Read", "a")).toBe("deny");
  });

  it("without a layer allows nothing", () => {
    expect(effectOf({ layers: [], tools: [] }, "Read", "a")).toBe("deny");
    expect(decideBoth(scopeOf([]), "Read", [], exact).effect).toBe("deny");
  });

  it("compares names as the file system does", () => {
    const scope = scopeOf([], ["Read(Secret/**)", "Read(STRASSE.txt)"], [{ files: ["src/A.ts"] }]);
    expect(effectOf(scope, "Read", "sECRET/x", loose)).toBe("deny");
    expect(effectOf(scope, "Read", "sECRET/x")).toBe("allow");
    expect(effectOf(scope, "Read", "straße.txt", loose)).toBe("deny");
    expect(effectOf(scope, "Edit", "SRC/a.TS", loose)).toBe("allow");
    expect(effectOf(scope, "Edit", "SRC/a.TS")).toBe("deny");
  });

  it("needs link and target to allow, and either to deny", () => {
    const scope = scopeOf(["Edit(src/**)"], ["Edit(src/no/**)"]);
    expect(decideBoth(scope, "Edit", ["src/link", "src/x"], exact).effect).toBe("allow");
    expect(decideBoth(scope, "Edit", ["src/link", "lib/x"], exact).effect).toBe("deny");
    expect(decideBoth(scope, "Edit", ["src/no/link", "src/x"], exact).effect).toBe("deny");
  });
});

describe("a protected path", () => {
  const all = scopeOf(["Edit", "Edit(.npmrc)", "Edit(/.github/workflows/ci.yml)", "Edit(.husky/**)"]);
  const disguises = [".git", ".GIT/config", "a/.git/hooks/x", ".git::$INDEX_ALLOCATION/x", "GIT~1/config", ".git /x"];

  it("named git stays shut under every disguise, to read too, even for a rule that names it", () => {
    for (const path of [...disguises, ".g\u200cit/x", ".git./x", "a\\.git\\x", "\ufeff.git", ".git\u2064/config"]) {
      expect([path, effectOf(all, "Edit", path), effectOf(all, "Read", path)]).toEqual([path, "deny", "deny"]);
    }
    expect(effectOf(all, "Read", ".gitignore")).toBe("allow");
    expect(effectOf(all, "Edit", ".gitignore")).toBe("allow");
    expect(effectOf(all, "Edit", "digit~1/git/x.git")).toBe("allow");
  });

  it("is edited only by a rule that names it literally", () => {
    expect(effectOf(all, "Edit", ".npmrc")).toBe("allow");
    expect(effectOf(all, "Edit", "sub/.npmrc")).toBe("deny");
    expect(effectOf(all, "Edit", ".github/workflows/ci.yml")).toBe("allow");
    expect(decide(all, "Edit", ".github/workflows/cd.yml", exact)).toMatchObject({ effect: "deny", rule: "protected" });
    for (const path of [".husky/pre-commit", "CLAUDE.md", "docs/agents.MD", ".vscode/x", ".bashrc", ".gitattributes"]) {
      expect([path, effectOf(all, "Edit", path), effectOf(all, "Read", path)]).toEqual([path, "deny", "allow"]);
    }
    expect(effectOf(all, "Edit", ".github/dependabot.yml")).toBe("allow");
    expect(effectOf(all, "Edit", "package.json")).toBe("allow");
  });

  it("is not opened by the file list of a split, nor by an agent that names it", () => {
    const split = scopeOf([], [], [{ files: ["AGENTS.md"] }]);
    expect(effectOf(split, "Edit", "AGENTS.md")).toBe("deny");
    const rules = ["Read", "Edit", "Edit(AGENTS.md)"].map(parseRule);
    expect(effectOf(narrow(scopeOf(["Edit"]), { source: "agent", allow: rules, deny: [] }), "Edit", "AGENTS.md")).toBe(
      "deny",
    );
  });
});

const names = fc.constantFrom("a", "b", "A", "src", "x.ts", ".npmrc", ".git", "n\nl", "é");
const path = fc.array(names, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
const glob = fc.constantFrom(
  "a",
  "b/",
  "/a/b",
  "**",
  "*.ts",
  "a/**",
  "src/*",
  "**/x.ts",
  "/.npmrc",
  "[ab]",
  "A/**/b",
  "n*",
);
const pattern: fc.Arbitrary<PathPattern> = fc.oneof(
  glob.map((text) => ({ glob: text })),
  fc.array(path, { maxLength: 4 }).map((files) => ({ files })),
  fc.array(fc.oneof(path, fc.constant("")), { maxLength: 3 }).map((directories) => ({ directories })),
);
const rule: fc.Arbitrary<Rule> = fc.record({
  id: fc.string({ maxLength: 4 }),
  tool: fc.constantFrom<PathTool>("Read", "Edit"),
  paths: pattern,
});
const layer: fc.Arbitrary<ScopeLayer> = fc.record({
  source: fc.constantFrom("job", "task", "agent"),
  allow: fc.array(rule, { maxLength: 5 }),
  deny: fc.array(rule, { maxLength: 2 }),
});
const scope: fc.Arbitrary<Scope> = fc.record({
  layers: fc.array(layer, { minLength: 1, maxLength: 3 }),
  tools: fc.constant([]),
});
const question = fc.record({ tool: fc.constantFrom<PathTool>("Read", "Edit"), path, isCaseInsensitive: fc.boolean() });
const runs = { numRuns: 10_000 };

describe("any scope", () => {
  it("is never widened by narrowing it", () => {
    fc.assert(
      fc.property(scope, layer, question, (parent, request, asked) => {
        if (effectOf(narrow(parent, request), asked.tool, asked.path, asked) === "deny") return;
        expect(effectOf(parent, asked.tool, asked.path, asked)).toBe("allow");
      }),
      runs,
    );
  });

  it("obeys a deny wherever it stands, and a deny on Read for edits too", () => {
    fc.assert(
      fc.property(scope, question, fc.nat(), (given, asked, at) => {
        const deny: Rule = { id: "no", tool: "Read", paths: { files: [asked.path] } };
        const index = at % given.layers.length;
        const layers = given.layers.map((each, place) =>
          place === index ? { ...each, deny: [...each.deny, deny] } : each,
        );
        expect(effectOf({ ...given, layers }, asked.tool, asked.path, asked)).toBe("deny");
      }),
      runs,
    );
  });

  it("decides the same whatever the order inside its lists", () => {
    fc.assert(
      fc.property(scope, question, (given, asked) => {
        const layers = given.layers.map((each) => ({
          ...each,
          allow: each.allow?.toReversed(),
          deny: each.deny.toReversed(),
        }));
        const turned = effectOf({ ...given, layers }, asked.tool, asked.path, asked);
        expect(turned).toBe(effectOf(given, asked.tool, asked.path, asked));
      }),
      runs,
    );
  });

  it("may hold something allowed in every directory above an allowed path", () => {
    fc.assert(
      fc.property(scope, question, (given, asked) => {
        if (effectOf(given, asked.tool, asked.path, asked) === "deny") return;
        const above = asked.path.split("/").slice(0, -1).join("/");
        expect(mayHoldAllowed(given, asked.tool, above, asked)).toBe(true);
        expect(mayHoldAllowed(given, asked.tool, "", asked)).toBe(true);
      }),
      runs,
    );
  });
});
