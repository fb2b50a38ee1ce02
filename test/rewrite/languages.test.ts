import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import type { Recipe } from "../../src/protocol/agent.ts";
import { Fault } from "../../src/protocol/failure.ts";
import { compileRecipe } from "../../src/rewrite/engine.ts";
import { compileScan } from "../../src/rewrite/scan.ts";
import { byCommand, byRecipe, texts } from "./oracle.ts";

/** A page of each language as people write it, with what reads names across lines, strings and comments. */
const pages = {
  Python: {
    path: "cart/total.py",
    text: `"""Totals. print("no") stays."""
from __future__ import annotations
import logging, os.path as osp

log = logging.getLogger(__name__)

class Total(Base, metaclass=Meta):
    rate: float = 1.19

    @property
    def gross(self) -> float:
        # log.warn("comment")
        log.warn("total %s", self.net)
        if self.net == None and not any(x == None for x in self.items):
            raise ValueError(f"no total: {self.name!r} {log.warn('inner')}")
        return round(self.net * self.rate, 2)

    async def send(self, *args, **kwargs):
        async with self.client as client:
            log.warn(
                "sending",
                extra={"caf\u00e9": [n for n in args if n != None]},
            )
            match kwargs:
                case {"to": str(to), **rest}:
                    return await client.post(to, lambda: log.warn(rest))
`,
  },
  Go: {
    path: "cmd/main.go",
    text: `// Package main: fmt.Println("no")
package main

import (
	"fmt"
	"io/ioutil"
)

type Total[T ~int | ~float64] struct {
	Net T \`json:"net"\`
}

func (t *Total[T]) Gross() (T, error) {
	data, err := ioutil.ReadAll(t.reader)
	if err != nil {
		return 0, fmt.Errorf("caf\u00e9 %w", err)
	}
	go fmt.Println("gross", data)
	defer func() { fmt.Println("done") }()
	return T(float64(t.Net) * 1.19), nil
}

func main() {
	fmt.Println("a", 1)
	if _, err := fmt.Println(\`raw\`); err != nil {
		panic(err)
	}
}
`,
  },
  Rust: {
    path: "src/lib.rs",
    text: `//! total(1) stays
use std::collections::HashMap;

#[derive(Debug, Clone)]
pub struct Total<'a, T: Copy> { name: &'a str, net: T }

impl<'a, T: Copy + Into<f64>> Total<'a, T> {
    /// total(2)
    pub fn gross(&self) -> Result<f64, Error> {
        let raw = r#"total(3) "caf\u00e9""#;
        let net: f64 = total(self.net).unwrap();
        let found = self.map.get("a").unwrap().clone();
        match total(net) { Some(x) if x > 1.0 => Ok(x), _ => Err(total(0).unwrap()) }
    }
}

fn main() { println!("{}", total(4)); total(5); async move { total(6).await }; }
`,
  },
  Java: {
    path: "src/Total.java",
    text: `package cart;

import java.util.List;

/** new Integer(1) stays. */
public record Total<T extends Number>(T net, List<? super T> items) implements Comparable<Total<T>> {
  private static final Integer RATE = new Integer(119);

  @Override
  public int compareTo(Total<T> other) {
    var text = """
        new Integer(2) "caf\u00e9"
        """;
    System.out.println("compare " + new Integer(other.hashCode()));
    return switch (other) {
      case null -> new Integer(0);
      default -> items.stream().map(x -> new Integer(x.hashCode())).findFirst().get();
    };
  }
}
`,
  },
} as const;

type Name = keyof typeof pages;

function filesOf(name: Name) {
  const { path, text } = pages[name];
  const crlf = text.replaceAll("\n", "\r\n").trimEnd();
  return new Map([
    [path, Buffer.from(text)],
    [`crlf/${path}`, Buffer.from(`\uFEFF${crlf}`)],
    ["other/a.js", Buffer.from("log.warn(1)")],
  ]);
}

const replace = (language: Name, pattern: string, fix: string) =>
  compileRecipe({ name: "replace-call", pattern, fix, language });

describe("replace-call in languages of optional packages", () => {
  it.each([
    ["Python", "log.warn($$$A)", "log.warning($$$A)"],
    ["Python", "$A == None", "$A is None"],
    ["Python", "def $F($$$A) -> $R: $$$B", "def $F($$$A) -> Optional[$R]:\n    $$$B"],
    ["Python", "raise $E($M)", "raise $E($M) from None"],
    ["Go", "panic($A)", "log.Fatal($A)"],
    ["Go", "err != nil", "nil != err"],
    ["Go", "fmt.Errorf($F, $E)", "wrap($E, $F)"],
    ["Rust", "total($A)", "sum($A)?"],
    ["Rust", "$A.unwrap()", '$A.expect("there")'],
    ["Java", "new Integer($A)", "Integer.valueOf($A)"],
    ["Java", "System.out.println($A)", "log.info($A)"],
    ["Java", "System.out.println($A);", "log.info($A);"],
  ] as const)("in %s agrees with the ast-grep command: %s", async (language, pattern, fix) => {
    const files = filesOf(language);
    const commanded = texts(byCommand(files, ["run", "-l", language, "-p", pattern, "-r", fix, "-U"]));
    expect(commanded).not.toEqual(texts(files));
    const recipe = await replace(language, pattern, fix);
    expect(texts(byRecipe(new Map([...files].filter(([path]) => recipe.covers(path))), recipe))).toEqual(
      Object.fromEntries(Object.entries(commanded).filter(([path]) => recipe.covers(path))),
    );
  });

  it.each([
    ["fmt.Println($$$A)", "log.Print($$$A)", /\bfmt\.Println\((?=["`][adgr])/g, "log.Print("],
    ["ioutil.ReadAll($A)", "io.ReadAll($A)", /ioutil\.ReadAll/g, "io.ReadAll"],
  ] as const)("finds the calls of Go that ast-grep takes for conversions: %s", async (pattern, fix, found, instead) => {
    const recipe = await replace("Go", pattern, fix);
    const [[path, bytes] = ["", Buffer.from("")]] = filesOf("Go");
    const { [path]: changed } = texts(byRecipe(new Map([[path, bytes]]), recipe));
    const comment = bytes.toString("latin1").split("\n", 1)[0] ?? "";
    expect(changed).toBe(comment + bytes.toString("latin1").slice(comment.length).replaceAll(found, instead));
    const again = recipe.rewrite({ path, bytes: Buffer.from(changed ?? "", "latin1") });
    expect(again).toEqual({ edits: [], leftovers: [] });
  });

  it("covers the files of its language alone, and no other recipe takes them up", async () => {
    const python = await replace("Python", "print($A)", "log($A)");
    const none = await compileRecipe({ name: "replace-call", pattern: "print($A)", fix: "log($A)" });
    const prefix = await compileRecipe({ name: "node-protocol" });
    const paths = ["a.py", "a.pyi", "a.js", "a.go", "a.rs", "a.java"];
    expect(paths.filter(python.covers)).toEqual(["a.py", "a.pyi"]);
    expect(paths.filter(none.covers)).toEqual(["a.js"]);
    expect(paths.filter(prefix.covers)).toEqual(["a.js"]);
  });

  it("says where a file is no code of its language, and leaves what is beside it", async () => {
    const recipe = await replace("Python", "print($A)", "log($A)");
    const { edits, leftovers } = recipe.rewrite({
      path: "a.py",
      bytes: Buffer.from("print(1)\n\nx = ]] 1\n"),
    });
    expect(leftovers[0]?.reason).toContain("syntax error in the Python grammar");
    expect(edits).toHaveLength(1);
  });

  it.each([
    ["Python", "print($A", "f($A)", "syntax error at line 1, column 1"],
    ["Python", "print($A)", "f($B)", "uses $B, which the pattern does not bind"],
    ["Rust", "fn (", "f()", "syntax error"],
    ["Java", "class {", "f()", "syntax error"],
    ["Go", "func (", "f()", "syntax error"],
  ] as const)("refuses in %s the pattern %s with the fix %s", async (language, pattern, fix, reason) => {
    await expect(replace(language, pattern, fix)).rejects.toThrow(reason);
  });
});

it("without its package a language is refused, with the package to install, and the others work", () => {
  const folder = mkdtempSync(join(tmpdir(), "sheaf-languages-"));
  try {
    const root = join(import.meta.dirname, "../..");
    mkdirSync(join(folder, "node_modules/@ast-grep"), { recursive: true });
    writeFileSync(join(folder, "package.json"), '{"type":"module"}');
    for (const name of ["rewrite", "protocol"])
      cpSync(join(root, "src", name), join(folder, "src", name), { recursive: true });
    for (const name of readdirSync(join(root, "node_modules/@ast-grep"))) {
      if (/^(?:napi|setup)/.test(name) || name === "lang-go") link(root, folder, `@ast-grep/${name}`);
    }
    link(root, folder, "zod");
    const program = `const { compileRecipe } = await import("./src/rewrite/engine.ts");
      const recipe = (language) => compileRecipe({ name: "replace-call", pattern: "f($A)", fix: "g($A)", language });
      console.log((await recipe("Go")).covers("a.go"));
      console.log(await recipe("Rust").catch(({ code, message, remedy }) => JSON.stringify({ code, message, remedy })));`;
    const said = execFileSync(process.execPath, ["--input-type=module", "-e", program], {
      cwd: folder,
      encoding: "utf8",
    });
    const [go, rust = ""] = said.trim().split("\n");
    expect(go).toBe("true");
    expect(JSON.parse(rust)).toEqual({
      code: "rule",
      message: expect.stringContaining("Rust code is read by the package @ast-grep/lang-rust, which cannot be loaded"),
      remedy: "install it where sheaf is installed: npm install @ast-grep/lang-rust",
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

function link(root: string, folder: string, name: string): void {
  symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name));
}

describe("a rule file in languages of optional packages", () => {
  const rules = (yaml: string): Recipe => ({
    name: "rule",
    file: "rule.yml",
    rules: parseAllDocuments(yaml).map((one) => one.toJS()),
  });

  it.each([
    ["Python", "rule: { pattern: '$A == None', inside: { kind: if_statement, stopBy: end } }\nfix: $A is None"],
    [
      "go",
      "rule: { pattern: { context: 'func f() { fmt.Println($$$A) }', selector: call_expression } }\nfix: log.Print($$$A)",
    ],
    ["rust", "rule: { pattern: $A.unwrap() }\nfix: $A?"],
    ["Java", "rule: { kind: object_creation_expression, pattern: new Integer($A) }\nfix: Integer.valueOf($A)"],
  ])("in %s agrees with the ast-grep command", async (language, body) => {
    const yaml = `id: a\nlanguage: ${language}\n${body}`;
    const name = (Object.keys(pages) as Name[]).find((one) => one.toLowerCase() === language.toLowerCase()) ?? "Go";
    const files = new Map([...filesOf(name)].filter(([path]) => !path.endsWith(".js")));
    const commanded = texts(byCommand(files, ["scan", "-r", "../rule.yml", "-U"].with(2, "rule.yml"), yaml));
    expect(commanded).not.toEqual(texts(files));
    expect(texts(byRecipe(files, await compiled(rules(yaml))))).toEqual(commanded);
  });

  it("is refused where a pattern of Go could never be a call, with what to write instead", async () => {
    const thrown: unknown = await compileRecipe(
      rules("id: a\nlanguage: Go\nrule: { pattern: fmt.Println($A) }\nfix: log.Print($A)"),
    ).catch((fault: unknown) => fault);
    expect(thrown).toBeInstanceOf(Fault);
    if (!(thrown instanceof Fault)) return;
    expect(thrown.message).toContain("alone it is a conversion to a type");
    expect(thrown.remedy).toBe("write pattern: { context: 'func _() { fmt.Println($A) }', selector: call_expression }");
  });
});

async function compiled(recipe: Recipe) {
  const made = await compileRecipe(recipe);
  if ("plan" in made) throw new Error("a recipe about whole programs");
  return made;
}

it.each([
  ["Python", "log.warn($$$A)", 4],
  ["Go", "fmt.Println($$$A)", 4],
] as const)("%s, once its package was loaded, is a language to look for", (language, pattern, count) => {
  const scan = compileScan({ pattern, language, places: 10 });
  if ("mistake" in scan) throw new Error(scan.mistake.message);
  const { path, text } = pages[language];
  expect(scan.look({ path, bytes: Buffer.from(text) })).toMatchObject({ count });
});
