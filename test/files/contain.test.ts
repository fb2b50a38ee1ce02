import { lstatSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Contained, containSync, type Escape, isEscape } from "../../src/files/contain.ts";
import { openLook } from "../../src/files/look.ts";

let home: string;
let root: string;
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), "sheaf-contain-")));
  root = join(home, "root");
  mkdirSync(root);
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function resolve(requested: string, options: { followsLast?: boolean; isCaseInsensitive?: boolean } = {}) {
  const look = openLook(root, { isCaseInsensitive: options.isCaseInsensitive ?? false });
  return containSync(requested, look, { root, followsLast: options.followsLast ?? true });
}

function contained(requested: string, options: Parameters<typeof resolve>[1] = {}): Contained {
  const resolved = resolve(requested, options);
  if (isEscape(resolved)) throw new Error(resolved.reason);
  return resolved;
}

const escapeOf = (requested: string): string | undefined => (resolve(requested) as Escape).escape;

function put(path: string, content = ""): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

describe("a requested path", () => {
  it("is relative to the root, or absolute below it", () => {
    put("src/a.ts");
    expect(contained("src/a.ts")).toMatchObject({ canonical: "src/a.ts", kind: "file", exists: true, viaLinks: [] });
    expect(contained(`${root}/src/./x/../a.ts`).canonical).toBe("src/a.ts");
    expect(contained("./src//a.ts").canonical).toBe("src/a.ts");
    expect(contained(root)).toMatchObject({ canonical: "", kind: "directory" });
    expect(contained(".")).toMatchObject({ canonical: "", kind: "directory" });
    expect(contained("src/new/deep.ts")).toMatchObject({
      canonical: "src/new/deep.ts",
      kind: "missing",
      exists: false,
    });
    expect(contained("src/a.ts/x")).toMatchObject({ kind: "missing", blockedBy: "src/a.ts" });
  });

  it("that is outside, empty or no path at all is refused as data", () => {
    const outside = [
      "",
      "..",
      "../root/a",
      "a/../../x",
      "/etc/passwd",
      `${root}x`,
      `${root}/../x`,
      "a\0b",
      "\ud800",
      "/",
    ];
    for (const path of [...outside, `a/${"x".repeat(5_000)}`])
      expect([path, escapeOf(path)]).toEqual([path, "outside"]);
  });

  it("keeps backslashes, newlines and every other character a name may hold", () => {
    for (const name of ["a\\b", "a\nb", " a ", "..a", "...", "é", "e\u0301", "-", "~", "C:\\x", "👍"]) {
      put(name);
      expect(contained(name)).toMatchObject({ canonical: name, kind: "file" });
    }
    expect(contained("\u00e9").canonical).not.toBe(contained("e\u0301").canonical);
    expect(contained("x".repeat(300))).toMatchObject({ kind: "missing" });
  });

  it("through links says where it ends and which links it took", () => {
    put("lib/real.ts");
    symlinkSync("../lib", join(root, "lib/up"));
    symlinkSync(join(root, "lib"), join(root, "absolute"));
    symlinkSync("nowhere/yet", join(root, "dangling"));
    expect(contained("lib/up/up/real.ts")).toMatchObject({
      canonical: "lib/real.ts",
      viaLinks: ["lib/up/up/real.ts", "lib/up/real.ts"],
    });
    expect(contained("absolute/real.ts")).toMatchObject({ canonical: "lib/real.ts", viaLinks: ["absolute/real.ts"] });
    expect(contained("dangling")).toMatchObject({ canonical: "nowhere/yet", exists: false, viaLinks: ["dangling"] });
    expect(contained("dangling", { followsLast: false })).toMatchObject({ canonical: "dangling", kind: "link" });
  });

  it("through a link that leads outside, or never ends, is refused", () => {
    put("a/b/c");
    symlinkSync("/etc", join(root, "etc"));
    symlinkSync("../../..", join(root, "a/b/up"));
    symlinkSync("../root/a", join(root, "out-and-in"));
    symlinkSync("loop", join(root, "loop"));
    symlinkSync("etc", join(root, "chain"));
    for (const path of ["etc/passwd", "etc", "chain/passwd", "a/b/up/root/a", "out-and-in/b", "loop", "loop/x"]) {
      expect([path, escapeOf(path)]).toEqual([path, "symlink"]);
    }
    expect(isEscape(resolve("etc", { followsLast: false }))).toBe(false);
    expect(isEscape(resolve("etc/x", { followsLast: false }))).toBe(true);
  });

  it("is answered as the folder spells it where case is ignored", () => {
    put("Src/File.TS");
    put("Src/file.ts");
    const loose = { isCaseInsensitive: true };
    expect(contained("SRC/FILE.ts", loose).canonical).toBe("Src/File.TS");
    expect(contained("src/file.ts", loose).canonical).toBe("Src/file.ts");
    expect(contained("src/new.ts", loose)).toMatchObject({ canonical: "Src/new.ts", exists: false });
    expect(contained("src/File.TS").exists).toBe(false);
  });
});

const name = fc.constantFrom("a", "b", "c", "..", ".", "l");
const walk = fc.array(name, { minLength: 1, maxLength: 6 }).map((parts) => parts.join("/"));
const target = fc.oneof(
  walk,
  walk.map((path) => `ROOT/${path}`),
  fc.constantFrom("/", "/etc", "../outside", "../../outside/secret", "ROOT", "ROOT/..", "../root/a", "/outside"),
);
const tree = fc.array(
  fc.record({
    at: fc.constantFrom("a", "b", "l", "a/a", "a/b", "a/l", "b/a", "b/l", "a/a/l"),
    link: fc.option(target),
  }),
  { maxLength: 8 },
);

/** Builds what can be built; what is in the way of itself is left out. */
function grow(plan: readonly { at: string; link: string | null }[]): void {
  for (const { at, link } of plan) {
    try {
      if (!lstatSync(dirname(join(root, at))).isDirectory()) continue;
      if (link === null) mkdirSync(join(root, at));
      else symlinkSync(link.replace("ROOT", root), join(root, at));
    } catch {}
  }
}

describe("any tree of symlinks", () => {
  it("leads where the operating system says, or nowhere", () => {
    mkdirSync(join(home, "outside"));
    writeFileSync(join(home, "outside/secret"), "");
    fc.assert(
      fc.property(tree, fc.array(walk, { minLength: 5, maxLength: 10 }), (plan, paths) => {
        rmSync(root, { recursive: true });
        mkdirSync(root);
        grow(plan);
        for (const path of paths) {
          const resolved = resolve(path);
          if (isEscape(resolved)) continue;
          const real = realOf(path);
          if (real !== undefined) expect([path, real]).toEqual([path, join(root, resolved.canonical)]);
          const again = contained(resolved.canonical || ".");
          expect(again).toMatchObject({ canonical: resolved.canonical, viaLinks: [] });
        }
      }),
      { numRuns: 500 },
    );
  });
});

/** Asked by the raw path: `join` would fold `..` by name, and the kernel folds it by what is there. */
function realOf(path: string): string | undefined {
  try {
    return realpathSync.native(`${root}/${path}`);
  } catch {
    return undefined;
  }
}
