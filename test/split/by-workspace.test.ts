import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findPackages, isManifest } from "../../src/split/packages.ts";
import { planSplit } from "../../src/split/plan-split.ts";
import { filesOf, jobOf, viewOf, writersOf } from "./view.ts";

function packages(texts: Readonly<Record<string, string>>): Record<string, string | undefined> {
  for (const path of Object.keys(texts)) expect(isManifest(path)).toBe(true);
  return Object.fromEntries([...findPackages(new Map(Object.entries(texts)))].sort());
}

const named = (name: string, more: object = {}) => JSON.stringify({ name, ...more });

describe("packages of npm, Yarn and pnpm", () => {
  it("are what the workspace's globs name, and no other manifest below it", () => {
    const texts = {
      "package.json": named("top", { workspaces: ["packages/*", "./apps/**/", "!packages/old", "tools/{a,b}"] }),
      "packages/one/package.json": `\uFEFF${named("@x/one")}`,
      "packages/one/test/fixture/package.json": "{ broken",
      "packages/old/package.json": named("old"),
      "apps/package.json": named("apps"),
      "apps/web/admin/package.json": named("admin"),
      "tools/a/package.json": "{ broken",
      "tools/c/package.json": named("c"),
    };
    expect(packages(texts)).toEqual({
      "": "top",
      "packages/one": "@x/one",
      apps: "apps",
      "apps/web/admin": "admin",
      "tools/a": undefined,
    });
  });

  it("are read from pnpm's own file and from the object form, workspaces inside workspaces too", () => {
    const texts = {
      "pnpm-workspace.yaml": "packages:\n  - 'libs/**'\n  - '!**/test/**'\n",
      "package.json": named("top"),
      "libs/a/package.json": named("a"),
      "libs/a/test/b/package.json": named("b"),
      "front/package.json": named("front", { workspaces: { packages: ["ui"] } }),
      "front/ui/package.json": named("ui"),
      "front/other/package.json": named("other"),
    };
    expect(packages(texts)).toEqual({ "": "top", "libs/a": "a", "front/ui": "ui" });
    const apart = { ...texts, "pnpm-workspace.yaml": "packages: [libs/a, front]" };
    expect(packages(apart)).toEqual({ "": "top", "libs/a": "a", front: "front", "front/ui": "ui" });
  });

  it("are all manifests where no workspace is declared, but for fixtures and other people's", () => {
    const texts = {
      "backend/package.json": named("backend"),
      "frontend/package.json": named("frontend"),
      "frontend/node_modules/x/package.json": named("x"),
      "test/fixtures/y/package.json": named("y"),
    };
    expect(packages(texts)).toEqual({ backend: "backend", frontend: "frontend" });
  });

  it("are unknown where the repository's own manifest cannot be read", () => {
    expect(() => packages({ "package.json": "{" })).toThrow(/cannot read the manifest package.json/);
    expect(() => packages({ "Cargo.toml": "[workspace" })).toThrow(/cannot read the manifest Cargo.toml/);
    expect(() => packages({ "pnpm-workspace.yaml": "packages: 3" })).toThrow(/pnpm-workspace.yaml:1:11/);
  });
});

describe("packages of other languages", () => {
  it("of Cargo are members, what they need by path, and nothing excluded", () => {
    const texts = {
      "Cargo.toml":
        '[workspace]\nmembers = ["crates/*"]\nexclude = ["crates/old"]\n[workspace.dependencies]\nu = { path = "util" }\n',
      "crates/a/Cargo.toml":
        '[package]\nname = "a"\n[target."cfg(unix)".dependencies]\nd = { path = "../../deep/d" }\n',
      "crates/old/Cargo.toml": '[package]\nname = "old"\n',
      "deep/d/Cargo.toml":
        '[package]\nname = "d"\n[dev-dependencies]\ne = { path = "../e" }\nout = { path = "../../../x" }\n',
      "deep/e/Cargo.toml": '[package]\nname = "e"\n',
      "util/Cargo.toml": '[package]\nname = "u"\n',
      "examples/x/Cargo.toml": '[package]\nname = "x"\n',
    };
    expect(packages(texts)).toEqual({
      "": undefined,
      "crates/a": "a",
      "deep/d": "d",
      "deep/e": "e",
      util: "u",
    });
  });

  it("of Go are modules", () => {
    const texts = {
      "go.mod": "// x\nmodule example.com/top // why\n\ngo 1.24\n",
      "tools/go.mod": 'module "example.com/tools"\r\n',
      "internal/testdata/m/go.mod": "module m\n",
    };
    expect(packages(texts)).toEqual({ "": "example.com/top", tools: "example.com/tools" });
  });

  it("of Python are projects, not settings of a linter; a workspace of uv says its members", () => {
    const texts = {
      "pyproject.toml":
        '[tool.ruff]\nline-length = 100\n[tool.uv.workspace]\nmembers = ["pkgs/*"]\nexclude = ["pkgs/old"]\n',
      "pkgs/a/pyproject.toml": '[project]\nname = "a"\n',
      "pkgs/old/pyproject.toml": '[project]\nname = "old"\n',
      "pkgs/b/setup.py": "from setuptools import setup\n",
      "pkgs/b/setup.cfg": "[metadata]\nname = bee\n",
    };
    expect(packages(texts)).toEqual({ "": undefined, "pkgs/a": "a", "pkgs/b": "bee" });
    const apart = {
      "pyproject.toml": "[tool.black]\n",
      "x/pyproject.toml": '[tool.poetry]\nname = "x"\n',
      "y/setup.cfg": "[flake8]\n",
    };
    expect(packages(apart)).toEqual({ x: "x" });
  });

  it("of Maven are modules, in profiles too, and never what a comment says", () => {
    const pom = (artifact: string, more = "") =>
      `<?xml version="1.0"?><project><parent><artifactId>up</artifactId></parent><artifactId>${artifact}</artifactId>${more}</project>`;
    const modules =
      "<modules><module>core</module>\n<!-- <module>gone</module> --><module> apps/web/pom.xml </module></modules>";
    const profile = "<profiles><profile><modules><module>./extra/</module></modules></profile></profiles>";
    const texts = {
      "pom.xml": pom("all", modules + profile),
      "core/pom.xml": pom("core"),
      "gone/pom.xml": pom("gone"),
      "apps/web/pom.xml": pom("web"),
      "extra/pom.xml": pom("extra"),
    };
    expect(packages(texts)).toEqual({ "": "all", core: "core", "apps/web": "web", extra: "extra" });
  });
});

describe("split by workspace", () => {
  const manifests = new Map([
    ["package.json", named("top", { workspaces: ["packages/*", "packages/*/plugins/*"] })],
    ["packages/a/package.json", named("@x/a")],
    ["packages/a/plugins/p/package.json", named("@x/p")],
    ["packages/b/package.json", named("@x/b")],
  ]);
  const files = [
    ...manifests.keys(),
    "README.md",
    "scripts/x.js",
    "packages/a/src/x.js",
    "packages/a/plugins/p/x.js",
    "packages/b/x.js",
  ];
  const view = viewOf(files, { manifests });

  it("makes a task of each package and one of the rest, each file once, with room for new files", () => {
    const { tasks } = planSplit(jobOf({ by: "workspace" }), view);
    expect(filesOf(tasks)).toEqual({
      root: ["README.md", "package.json", "scripts/x.js"],
      "packages-a": ["packages/a/package.json", "packages/a/src/x.js"],
      "packages-a-plugins-p": ["packages/a/plugins/p/package.json", "packages/a/plugins/p/x.js"],
      "packages-b": ["packages/b/package.json", "packages/b/x.js"],
    });
    expect(Object.fromEntries(tasks.map((task) => [task.id, task.item]))).toMatchObject({
      root: { path: ".", name: "top" },
      "packages-a": { path: "packages/a", name: "@x/a" },
    });
    const writers = (path: string) => writersOf(path, tasks, view);
    expect(writers("packages/a/src/new.js")).toEqual(["packages-a"]);
    expect(writers("packages/a/plugins/p/new.js")).toEqual(["packages-a-plugins-p"]);
    expect(writers("packages/b/new.js")).toEqual(["packages-b"]);
    expect(writers("scripts/new.js")).toEqual(["root"]);
    for (const path of files) expect(writers(path)).toHaveLength(1);
  });

  it("is narrowed by what was chosen, and refuses what does not fit its maxima with the counts", () => {
    const chosen = { ...view, isChosen: (path: string) => path.endsWith(".js") && path.includes("/a/") };
    const { tasks } = planSplit(jobOf({ by: "workspace" }), chosen);
    expect(filesOf(tasks)).toEqual({
      "packages-a": ["packages/a/src/x.js"],
      "packages-a-plugins-p": ["packages/a/plugins/p/x.js"],
    });
    expect(() => planSplit(jobOf({ by: "workspace", files: 2 }), view)).toThrow(/more than files: 2: . has 3/);
    expect(() => planSplit(jobOf({ by: "workspace", tasks: 3 }), view)).toThrow(/4 packages make 4 tasks/);
    expect(() => planSplit(jobOf({ by: "workspace" }), viewOf(["a.c"]))).toThrow(/no manifest of a package/);
  });

  it("never gives a path to two tasks, however packages lie in each other", () => {
    const folder = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 4 }).map((names) => names.join("/"));
    fc.assert(
      fc.property(fc.uniqueArray(folder, { minLength: 1, maxLength: 8 }), fc.uniqueArray(folder), (homes, places) => {
        const at = (path: string, name: string) => (path === "" ? name : `${path}/${name}`);
        const own = new Map(homes.map((home) => [at(home, "go.mod"), "module m\n"]));
        const random = viewOf([...own.keys(), ...places.map((place) => at(place, "x.go"))], { manifests: own });
        const { tasks } = planSplit(jobOf({ by: "workspace" }), random);
        expect(tasks.flatMap((task) => task.files).sort()).toEqual(random.files);
        for (const path of random.files) expect(writersOf(path, tasks, random)).toHaveLength(1);
      }),
      { numRuns: 200 },
    );
  });
});
