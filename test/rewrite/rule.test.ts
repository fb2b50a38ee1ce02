import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { Fault } from "../../src/protocol/failure.ts";
import { compileRules } from "../../src/rewrite/rule.ts";
import { applyTextEdits } from "../../src/rewrite/text-edit.ts";
import { byCommand, byRecipe, type Files, someSources, texts } from "./oracle.ts";

function rules(yaml: string) {
  return compileRules({ name: "rule", file: "rule.yml", rules: parseAllDocuments(yaml).map((one) => one.toJS()) });
}

function filesOf(written: Readonly<Record<string, string>>): Files {
  return new Map(Object.entries(written).map(([path, text]) => [path, Buffer.from(text)]));
}

/** Both agree; returns what they made of it. */
function expectSame(files: Files, yaml: string): Record<string, string> {
  const commanded = texts(byCommand(files, ["scan", "-r", "rule.yml", "-U"], yaml));
  expect(commanded).not.toEqual(texts(files));
  expect(texts(byRecipe(files, rules(yaml)))).toEqual(commanded);
  return commanded;
}

function refused(yaml: string): string {
  try {
    rules(yaml);
  } catch (thrown) {
    if (thrown instanceof Fault) return `${thrown.code}: ${thrown.message} -> ${thrown.remedy}`;
    throw thrown;
  }
  return "accepted";
}

const head = "id: t\nlanguage: js\n";

describe("rules agree with the ast-grep command on published sources", () => {
  it.each([
    ["a pattern", "rule: {pattern: 'return $A'}\nfix: 'return check($A)'"],
    [
      "a kind and a relation",
      "rule: {kind: identifier, regex: '^this\\b|opts', inside: {kind: member_expression, stopBy: neighbor}}\nfix: options",
    ],
    ["alternatives", "rule: {any: [{pattern: $A === $B}, {pattern: $A !== $B}]}\nfix: 'compare($A, $B)'"],
    [
      "constraints",
      "rule: {pattern: $A.$M($$$ARGS)}\nconstraints: {M: {regex: '^(push|on)$'}}\nfix: |-\n  $A.add(\n    $$$ARGS,\n  )",
    ],
    [
      "utilities",
      "rule: {all: [{matches: call}, {not: {inside: {kind: return_statement, stopBy: end}}}]}\nutils: {call: {pattern: $F($X)}}\nfix: '$F.call(null, $X)'",
    ],
    [
      "transforms",
      "rule: {pattern: 'function $NAME($$$P) { $$$B }'}\ntransform:\n  BIG: {convert: {source: $NAME, toCase: pascalCase}}\n  BODY: {replace: {source: $$$B, replace: 'return', by: 'yield'}}\nfix: |\n  function $BIG($$$P) {\n      $BODY\n  }",
    ],
    [
      "an expansion to the end",
      "rule: {kind: pair, has: {field: value, kind: 'true'}}\nfix: {template: '', expandEnd: {regex: '^,$'}}",
    ],
    [
      "an expansion to the start",
      "rule: {kind: pair, has: {field: value, kind: 'false'}}\nfix: {template: '/* no $_ */', expandStart: {regex: '^,$', stopBy: {kind: pair}}}",
    ],
    [
      "a selector",
      "rule: {pattern: {context: 'class A { $F($$$P) { $$$B } }', selector: method_definition}}\nfix: |-\n  $F = ($$$P) => {\n    $$$B\n  }",
    ],
    ["a relaxed pattern", "rule: {pattern: {context: 'const $A = $B', strictness: relaxed}}\nfix: let $A = $B"],
    [
      "the first of alternatives",
      "rule: {pattern: 'new $A($$$B)'}\nfix: [{title: one, template: '$A.of($$$B)'}, {title: two, template: no}]",
    ],
  ])("for %s", (_, yaml) => {
    if (yaml.includes("$_")) return expect(refused(head + yaml)).toContain("it uses $_");
    expectSame(someSources(yaml.length), head + yaml);
  });

  it("for several rules that want the same text", () => {
    const yaml = [
      "id: b\nlanguage: js\nrule: {kind: call_expression, has: {field: function, kind: identifier}}\nfix: outer",
      "id: a\nlanguage: js\nrule: {pattern: $F($A)}\nfix: one($A)",
      "id: c\nlanguage: js\nrule: {kind: expression_statement, has: {kind: call_expression}}\nfix: statement",
      "id: d\nlanguage: ts\nrule: {pattern: 'interface $A { $$$B }'}\nfix: 'type $A = { $$$B }'",
      "id: e\nlanguage: js\nrule: {kind: number}\nfix: '9'",
    ].join("\n---\n");
    expectSame(someSources(2), yaml);
    expectSame(filesOf({ "a.js": "foo(1)\nbar(foo(2), 3)\n[foo(4), x.y(5)]\n" }), yaml);
  });
});

describe("rules agree with the ast-grep command", () => {
  it("about comments that switch a rule off", () => {
    const yaml = `${head}rule: {pattern: foo($A)}\nfix: bar($A)`;
    const files = filesOf({
      "above.js": "x;\n// ast-grep-ignore\nfoo(1)\nfoo(2)\n",
      "beside.js":
        "foo(3) // ast-grep-ignore\n foo(4) // ast-grep-ignore: t\nfoo(5) // ast-grep-ignore: q, t\nfoo(6) // ast-grep-ignore: q\n",
      "whole.js": "// ast-grep-ignore\n\nfoo(1)\n\nfoo(2)\n",
      "named.js": "// ast-grep-ignore: t\n\nfoo(1)\n\nfoo(2)\n",
      "other.js": "// ast-grep-ignore: q\n\nfoo(1)\n\nfoo(2)\n",
      "second.js": "#!/usr/bin/env node\n// ast-grep-ignore\n\nfoo(1)\n\nfoo(2)\n",
      "nested.js": "y;\n// ast-grep-ignore\nfoo(\n  foo(9))\n",
    });
    expectSame(files, yaml);
    const { leftovers } = rules(yaml).rewrite({ path: "a.js", bytes: Buffer.from("foo(1) // ast-grep-ignore") });
    expect(leftovers).toMatchObject([{ line: 1, reason: "left alone by an ast-grep-ignore comment" }]);
  });

  it.each([
    "files/src/*.js",
    "files/src/**",
    "**/b.js",
    "*.js",
    "b.js",
    "./files/**",
    "files/{src,lib}/a/*",
    "files/src/[a-b]/?.js",
    "files/src/[!a]/*",
    "FILES/**",
    "files/src/a",
    "files/**/b.js",
    "files/s\\rc/*",
  ])("about which paths the glob %s means", (glob) => {
    const paths = ["src/a/b.js", "src/c.js", "lib/a/d.js", "b.js", "src/x/y.js"];
    const files = filesOf(Object.fromEntries(paths.map((path) => [path, "foo(1)\n"])));
    for (const key of ["files", "ignores"]) {
      const yaml = `${head}${key}: [${JSON.stringify(glob)}]\nrule: {pattern: foo($A)}\nfix: bar($A)`;
      const commanded = byCommand(files, ["scan", "-r", "rule.yml", "-U"], yaml);
      const changed = paths.filter((path) => commanded.get(path)?.toString() === "bar(1)\n");
      const recipe = rules(yaml);
      expect([key, ...paths.filter((path) => recipe.covers(`files/${path}`))]).toEqual([key, ...changed]);
    }
  });

  it.each([
    "rule: {regex: foo}",
    "rule: {not: {kind: number}}",
    "rule: {inside: {kind: number}}",
    "rule: {pattern: $A}",
    "rule: {any: [{kind: number}, {regex: a}]}",
    "rule: {all: [{regex: a}, {kind: number}]}",
    "rule: {matches: u}\nutils: {u: {regex: a}}",
    "rule: {matches: u}\nutils: {u: {kind: number}}",
    "rule: {not: {kind: number}, kind: string}",
  ])("about whether `%s` says which nodes it means", (yaml) => {
    const whole = `${head}${yaml}\nfix: a`;
    const files = filesOf({ "a.js": "1" });
    const isRefused = (() => {
      try {
        byCommand(files, ["scan", "-r", "rule.yml", "-U"], whole);
        return false;
      } catch {
        return true;
      }
    })();
    expect(refused(whole) !== "accepted").toBe(isRefused);
  });
});

describe("a rule file", () => {
  it.each([
    ["no fix", "rule: {pattern: a()}", "rule 1 (t), fix: it finds but does not fix"],
    ["rewriters", "rule: {pattern: a()}\nfix: b\nrewriters: []", "rewriters are not built yet"],
    [
      "the rewrite transform",
      "rule: {pattern: a($A)}\ntransform: {B: {rewrite: {source: $A, rewriters: [q]}}}\nfix: $B",
      "rewriters, which are not built yet",
    ],
    ["an unknown key", "rule: {pattern: a()}\nfix: b\nwat: 1", "wat: no such key"],
    ["an unknown key in the rule", "rule: {patern: a()}\nfix: b", "unknown field `patern`"],
    ["an unknown kind", "rule: {kind: nope}\nfix: b", "Kind `nope` is invalid"],
    ["a bad regex", "rule: {kind: number, regex: '('}\nfix: b", "unclosed group"],
    ["a broken pattern", "rule: {any: [{pattern: 'a((('}]}\nfix: b", "pattern `a(((`: syntax error at line 1"],
    ["an unbound variable", "rule: {pattern: a($A)}\nfix: b($B)", "it uses $B, which the rule does not bind"],
    ["an unknown utility", "rule: {kind: number, matches: u}\nfix: b", "u"],
    [
      "an unknown variable in a transform",
      "rule: {pattern: a()}\ntransform: {X: {substring: {source: $Q}}}\nfix: $X",
      "Undefined meta var `Q`",
    ],
    [
      "a shared variable in an expansion",
      "rule: {pattern: a($A)}\nfix: {template: b, expandEnd: {pattern: $A}}",
      "which is not built yet",
    ],
    ["an unknown key in the fix", "rule: {pattern: a($A)}\nfix: {template: b, expand: 1}", "fix.expand: no such key"],
    ["no id", "id: ''\nrule: {pattern: a($A)}\nfix: b", "id: missing"],
    ["a bad glob", "rule: {pattern: a()}\nfix: b\nfiles: ['a{b']", "does not compile"],
  ])("with %s is refused with the reason", (_, yaml, reason) => {
    const said = refused(yaml.startsWith("id:") ? `language: js\n${yaml}` : head + yaml);
    expect(said).toContain("rule: rule.yml, rule 1");
    expect(said).toContain(reason);
    expect(said).not.toContain("undefined");
  });

  it("in a language that is not built yet is refused, and the document is named", () => {
    const good = "id: a\nlanguage: TypeScript\nrule: {pattern: a()}\nfix: b";
    expect(refused(`${good}\n---\nid: p\nlanguage: Kotlin\nrule: {pattern: a()}\nfix: b`)).toContain(
      'rule 2 (p), language: "Kotlin" is not built yet',
    );
  });

  it("whose rules are all off is refused, and a rule that is off does nothing beside others", () => {
    const off = `${head}severity: off\nrule: {pattern: foo($A)}\nfix: no`;
    expect(refused(off.replace("off", '"off"'))).toContain("no rule in it is on");
    const both = `${off}\n---\nid: u\nlanguage: js\nrule: {pattern: bar($A)}\nfix: yes($A)`;
    const made = expectSame(filesOf({ "a.js": "foo(1); bar(2)" }), both);
    expect(made["a.js"]).toBe("foo(1); yes(2)");
  });

  it("covers the files of its languages and says why it leaves another", () => {
    const recipe = rules("id: a\nlanguage: TSX\nrule: {pattern: a()}\nfix: b()");
    expect([recipe.covers("a.tsx"), recipe.covers("a.ts")]).toEqual([true, false]);
    expect(recipe.rewrite({ path: "a.ts", bytes: Buffer.from("a()") }).skipped).toBe("no rule is about this path");
    const bytes = Buffer.from("<b>{a()}</b>;");
    expect(Buffer.from(applyTextEdits(bytes, recipe.rewrite({ path: "a.tsx", bytes }).edits)).toString()).toBe(
      "<b>{b()}</b>;",
    );
  });
});
