import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { containSync, isEscape } from "../../src/files/contain.ts";
import { openLook } from "../../src/files/look.ts";
import { decideBoth } from "../../src/permission/decide.ts";
import { parseRule } from "../../src/permission/rule.ts";
import { taskScope } from "../../src/permission/task-scope.ts";
import type { Scope } from "../../src/protocol/scope.ts";

/**
 * A folder with links in every direction, random paths into it, and random rules about it. The oracle asks the kernel
 * where a path leads, and compares rules as plain texts.
 */
let home = "";
let root = "";

const links: Readonly<Record<string, string>> = {
  "a/up": "..",
  "a/out": "../..",
  "a/etc": "/etc",
  "b/to-a": "../a",
  "b/chain": "to-a/b",
  "c/loop": "loop",
  "c/ping": "pong",
  "c/pong": "ping",
  "c/gone": "../a/new/deep",
  "c/self": ".",
  "a/b/far": "../../c/d.ts",
  "a/b/hook": "../../.git/hooks",
  "b/around": "../c/../a/./b",
};

beforeAll(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), "sheaf-links-")));
  root = join(home, "root");
  for (const folder of ["a/b/c", "b/x.ts", "c", ".git/hooks"]) mkdirSync(join(root, folder), { recursive: true });
  for (const file of ["a/d.ts", "a/b/d", "b/x.ts/d", "c/d.ts", ".git/config", "../secret"]) {
    writeFileSync(join(root, file), "");
  }
  for (const [place, target] of Object.entries(links)) symlinkSync(target, join(root, place));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const names = ["a", "b", "c", "d", "d.ts", "x.ts", "new", "..", ".", "up", "out", "etc", "to-a", "chain", "loop"];
const more = ["ping", "gone", "self", "far", "hook", "around", ".git", "config", "hooks", "secret"];
const cased = fc.tuple(fc.constantFrom(...names, ...more), fc.nat({ max: 3 })).map(([name, game]) => {
  if (game === 0) return name.toUpperCase();
  return game === 1 ? name.slice(0, 1) + name.slice(1).toUpperCase() : name;
});
const path = fc.array(cased, { minLength: 1, maxLength: 6 }).map((parts) => parts.join("/"));
const glob = fc.constantFrom("/a/**", "/a", "/b/**", "/B", "/c/d.ts", "*.ts", "*.TS", "d", "D", "/A/b/**", "/**", "c");

/** Every path on the way, the last being where it ends; undefined where it leaves the root or never ends. */
function wayOf(requested: string, budget = 40): string[] | undefined {
  const rest = requested.split("/").filter((name) => name !== "" && name !== ".");
  let done: string[] = [];
  for (const [index, name] of rest.entries()) {
    if (name === ".." && done.length === 0) return undefined;
    done = name === ".." ? done.slice(0, -1) : [...done, name];
    const target = linkAt(done.join("/"));
    if (target !== undefined) return through({ link: done, target, behind: rest.slice(index + 1) }, budget);
  }
  return [done.join("/")];
}

function through(met: { link: string[]; target: string; behind: string[] }, budget: number): string[] | undefined {
  const { link, target, behind } = met;
  if (budget === 0 || target.startsWith("/")) return undefined;
  const on = wayOf([...link.slice(0, -1), target, ...behind].join("/"), budget - 1);
  // A name with a step back in it is no place that a rule could mean: there the link alone is judged.
  return on && [behind.includes("..") ? link.join("/") : [...link, ...behind].join("/"), ...on];
}

function linkAt(place: string): string | undefined {
  try {
    return lstatSync(join(root, place)).isSymbolicLink() ? readlinkSync(join(root, place)) : undefined;
  } catch {
    // Nothing is there, or it is below a file.
    return undefined;
  }
}

/** Where the kernel says that the path ends, where it exists. */
function realOf(requested: string): string | undefined {
  try {
    return realpathSync.native(`${root}/${requested}`).slice(root.length + 1);
  } catch {
    return undefined;
  }
}

function covers(text: string, subject: string): boolean {
  const segments = subject.split("/");
  if (text === "/**") return subject !== "";
  if (text.endsWith("/**")) return subject.startsWith(text.slice(1, -2));
  if (text.startsWith("/")) return subject === text.slice(1) || subject.startsWith(`${text.slice(1)}/`);
  return segments.some((name) => (text.startsWith("*") ? name.endsWith(text.slice(1)) : name === text));
}

function expected(requested: string, rules: { allow: string[]; ask: string[]; deny: string[] }): string {
  const way = wayOf(requested);
  if (way === undefined) return "deny";
  const effects = way.map((each): string => {
    if (each.toLowerCase().split("/").includes(".git")) return "deny";
    if (rules.deny.some((text) => covers(text, each))) return "deny";
    if (rules.ask.some((text) => covers(text, each))) return "ask";
    return rules.allow.some((text) => covers(text, each)) ? "allow" : "deny";
  });
  return ["deny", "ask", "allow"].find((effect) => effects.includes(effect)) ?? "deny";
}

const few = fc.array(glob, { maxLength: 2 });
const ruled = fc.record({ allow: fc.array(glob, { minLength: 1, maxLength: 3 }), ask: few, deny: few });

it("decides about 10,000 paths through links, in every case, as the kernel and plain texts do", () => {
  const seen = new Set<string>();
  const paths = fc.array(path, { minLength: 20, maxLength: 20 });
  fc.assert(
    fc.property(paths, ruled, fc.boolean(), (requests, rules, isCaseInsensitive) => {
      const parsed = (texts: readonly string[]) => texts.map((text) => parseRule(`Edit(${text})`));
      const job = { allow: parsed(rules.allow), ask: parsed(rules.ask), deny: parsed(rules.deny) };
      const scope = taskScope({ writes: [], job, tools: [] });
      // The disk is one that knows case, and all names on it are lower case.
      const folded = (text: string) => (isCaseInsensitive ? text.toLowerCase() : text);
      const texts = { allow: rules.allow.map(folded), ask: rules.ask.map(folded), deny: rules.deny.map(folded) };
      for (const requested of requests) {
        const asked = folded(requested);
        const { effect, at } = decided(scope, requested, isCaseInsensitive);
        expect([requested, effect]).toEqual([requested, expected(asked, texts)]);
        const real = realOf(asked);
        if (at && real !== undefined) expect(folded(at.canonical)).toBe(real);
        seen.add(`${effect}, ${!at || at.viaLinks.length > 0 ? "linked" : "plain"}`);
      }
    }),
    { numRuns: 500 },
  );
  // Every kind of answer was met, with links and without: what denies everything fails here.
  expect([...seen].toSorted()).toEqual(
    ["allow", "ask", "deny"].flatMap((effect) => [`${effect}, linked`, `${effect}, plain`]),
  );
});

function decided(scope: Scope, requested: string, isCaseInsensitive: boolean) {
  const facts = { isCaseInsensitive };
  const at = containSync(requested, openLook(root, facts), { root });
  if (isEscape(at)) return { effect: "deny" as const };
  return { effect: decideBoth(scope, "Edit", [...at.viaLinks, at.canonical], facts).effect, at };
}
