import { existsSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { LooseObjects, objectId } from "../../src/workspace/loose-objects.ts";
import { rawOf } from "../../src/workspace/raw-path.ts";
import { mostStoredBytes, storedBlock } from "../../src/workspace/stored-block.ts";
import { commitTree, writeTree } from "../../src/workspace/tree.ts";
import { type Child, editTree, encodeTree } from "../../src/workspace/tree-body.ts";
import { type Playground, playground } from "./playground.ts";

const formats = ["sha1", "sha256"] as const;

/** A repository of its own, and git in it. */
function bare(ground: Playground, format: "sha1" | "sha256") {
  const gitDir = join(ground.folder, `${format}.git`);
  const run = (input: string | Buffer | undefined, ...args: string[]) => ground.gitIn(ground.folder, input, ...args);
  run(undefined, "init", "--quiet", "--bare", `--object-format=${format}`, gitDir);
  const git = (input: string | Buffer | undefined, ...args: string[]) =>
    run(input, `--git-dir=${gitDir}`, ...args)
      .toString("latin1")
      .trim();
  return { gitDir, git };
}

const name = fc
  .oneof(
    fc.constantFrom("a", "a.b", "a-", "a0", "A", "b", "x y", 'q"', "n\nl", "t\t", "Ä", "ÿ", ".gitx", "git"),
    fc.string({ unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)), minLength: 1 }),
  )
  .filter((each) => !/[/\n]/.test(each) && !/^\.{1,2}$|^\.git$/i.test(each));

for (const format of formats) {
  test(`git reads the ${format} objects that are written here, and gives them the same ids`, async () => {
    await using ground = playground();
    const { gitDir, git } = bare(ground, format);
    await using objects = new LooseObjects(gitDir, format);
    const bodies = ["", "a", "a\0b\n", "y".repeat(5_000), "x".repeat(200_000)].map((text) =>
      Buffer.from(text, "latin1"),
    );
    const stored = await Promise.all(bodies.map((body) => objects.put("blob", body)));
    for (const [index, oid] of stored.entries()) {
      expect(oid).toBe(git(bodies[index], "hash-object", "--stdin"));
      expect(git(undefined, "cat-file", "-s", oid)).toBe(String(bodies[index]?.length));
    }
    expect(git(undefined, "fsck", "--full", "--strict", "--no-dangling")).toMatch(/^$|^notice/);
    const [first = ""] = stored;
    const place = join(gitDir, "objects", first.slice(0, 2), first.slice(2));
    expect(statSync(place).mode & 0o777).toBe(0o444);
  });

  test(`a ${format} tree that was edited is the one that git makes of its entries, whatever they are`, async () => {
    await using ground = playground();
    const { gitDir, git } = bare(ground, format);
    await using objects = new LooseObjects(gitDir, format);
    const blob = await objects.put("blob", Buffer.from("b"));
    const tree = await objects.put("tree", Buffer.alloc(0));
    const kinds: Child[] = [
      { mode: "100644", oid: blob },
      { mode: "100755", oid: blob },
      { mode: "120000", oid: blob },
      { mode: "40000", oid: tree },
      { mode: "160000", oid: blob.replace(/./g, "1") },
    ];
    const child = fc.constantFrom(...kinds);
    const children = fc.array(fc.tuple(name, child), { maxLength: 8 });
    const edits = fc.array(fc.tuple(name, fc.option(child, { nil: undefined })), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(children, edits, async (before, changes) => {
        const from = new Map(before);
        const to = new Map<string, Child>(from);
        for (const [at, now] of changes) {
          if (now) to.set(at, now);
          else to.delete(at);
        }
        const written = editTree(encodeTree(from, format), new Map(changes), format);
        expect(written).toEqual(encodeTree(to, format).bytes);
        const oid = await objects.put("tree", written);
        const lines = [...to].map(([at, now]) => `${now.mode.padStart(6, "0")} ${typeOf(now)} ${now.oid}\t${at}\0`);
        expect(oid).toBe(git(Buffer.from(lines.join(""), "latin1"), "mktree", "-z", "--missing"));
      }),
      { numRuns: 25 },
    );
  });
}

function typeOf({ mode }: Child): string {
  if (mode === "40000") return "tree";
  return mode === "160000" ? "commit" : "blob";
}

test("a stored block is what a reader of zlib's format makes the same bytes of", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(inflateSync(storedBlock(bytes))).toEqual(Buffer.from(bytes));
    }),
  );
  for (const length of [5_551, 5_552, 5_553, mostStoredBytes]) {
    const bytes = Buffer.alloc(length, 255);
    expect(inflateSync(storedBlock(bytes)).equals(bytes)).toBe(true);
  }
});

test("no tree is made of names, modes or ids that git would not take", () => {
  const oid = "1".repeat(40);
  for (const at of ["", ".", "..", ".git", ".GIT", "a/b", "a\0b"])
    expect(() => encodeTree([[at, { mode: "100644", oid }]], "sha1"), at).toThrowError(/no tree may hold/);
  for (const mode of ["", "40755", "040000", "644", "100888", "100644 x"])
    expect(() => encodeTree([["a", { mode, oid }]], "sha1"), mode).toThrowError(/no tree may hold/);
  for (const odd of ["", "1".repeat(39), "1".repeat(64), "G".repeat(40)])
    expect(() => encodeTree([["a", { mode: "100644", oid: odd }]], "sha1"), odd).toThrowError(/no tree may hold/);
});

test("a tree is not written over objects that are not there, or are none of a file", async () => {
  await using ground = playground();
  ground.write("a", "1");
  const { tree } = ground.commit();
  const repository = await ground.open();
  for (const oid of ["1".repeat(40), tree])
    await expect(writeTree(repository, tree, [{ path: rawOf("b"), mode: "100644", oid }])).rejects.toMatchObject({
      code: "git",
    });
});

test("an object is stored once, by however many at once, never over another, and one that is used again is not pruned", async () => {
  await using ground = playground();
  const { gitDir, git } = bare(ground, "sha1");
  await using objects = new LooseObjects(gitDir, "sha1");
  const body = Buffer.from("the same");
  const oids = await Promise.all(Array.from({ length: 40 }, () => objects.put("blob", body)));
  const [oid = ""] = oids;
  expect(new Set(oids)).toEqual(new Set([objectId("blob", body, "sha1")]));
  const place = join(gitDir, "objects", oid.slice(0, 2), oid.slice(2));
  const { ino } = statSync(place);
  utimesSync(place, 1, 1);
  await using others = new LooseObjects(gitDir, "sha1");
  expect(await others.put("blob", body)).toBe(oid);
  expect(statSync(place).ino).toBe(ino);
  // What nobody refers to yet is pruned by its age.
  expect(git(undefined, "prune", "--expire=1.hour.ago")).toBe("");
  expect(await objects.put("blob", Buffer.from("another"))).toHaveLength(40);
  expect(existsSync(place)).toBe(true);
  utimesSync(place, 1, 1);
  git(undefined, "prune", "--expire=1.hour.ago");
  expect(existsSync(place)).toBe(false);
  expect(await others.put("blob", body)).toBe(oid);
  expect(existsSync(place)).toBe(true);
  expect([objects.hasPut(oid, "blob"), objects.hasPut(oid, "tree")]).toEqual([true, false]);
});

test("what cannot be stored leaves nothing behind, and can be stored later", async () => {
  await using ground = playground();
  const { gitDir } = bare(ground, "sha1");
  await using objects = new LooseObjects(gitDir, "sha1");
  const body = Buffer.from("late");
  const oid = objectId("blob", body, "sha1");
  // A file where the object's folder is to be.
  writeFileSync(join(gitDir, "objects", oid.slice(0, 2)), "");
  await expect(objects.put("blob", body)).rejects.toMatchObject({ code: expect.stringMatching(/ENOTDIR|EEXIST/) });
  expect(objects.hasPut(oid, "blob")).toBe(false);
  const [scratch = ""] = readdirSync(gitDir).filter((each) => each.startsWith("scratch-"));
  expect(readdirSync(join(gitDir, scratch))).toEqual([]);
  rmSync(join(gitDir, "objects", oid.slice(0, 2)));
  expect(await objects.put("blob", body)).toBe(oid);
});

test("a commit points at trees and commits that are there", async () => {
  await using ground = playground();
  ground.write("a", "1");
  const { tree, commit } = ground.commit();
  const repository = await ground.open();
  const order = { message: "m", at: 0 };
  await expect(commitTree(repository, { ...order, tree: "1".repeat(40), parents: [] })).rejects.toMatchObject({
    code: "git",
  });
  const made = await commitTree(repository, { ...order, tree, parents: [commit] });
  expect(await commitTree(repository, { ...order, tree, parents: [made] })).toHaveLength(40);
});
