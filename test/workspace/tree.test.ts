import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createCheckout } from "../../src/workspace/checkout.ts";
import { composeChanges } from "../../src/workspace/compose-changes.ts";
import { changesOf, changesOfMany, statsOf, statsOfMany } from "../../src/workspace/diff.ts";
import { ListingCache } from "../../src/workspace/listing-cache.ts";
import { rawOf, toRaw } from "../../src/workspace/raw-path.ts";
import { commitTree, listTree, writeTree } from "../../src/workspace/tree.ts";
import { fastImport, playground } from "./playground.ts";

const name = fc.constantFrom("a", "b", "a.b", "a-", "a0", "Ä", "x y");
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
const file = fc.record({ path, mode: fc.constantFrom("100644", "100755"), content: fc.constantFrom("1", "2", "") });

/** The last file of each name, without those that would be a directory of another. */
function possible<T extends { path: string }>(files: T[]): Map<string, T> {
  const unique = new Map(files.map((entry) => [entry.path, entry]));
  const names = [...unique.keys()];
  return new Map([...unique].filter(([at]) => !names.some((other) => other.startsWith(`${at}/`))));
}

test("a written tree is the tree that git makes of the same files, whatever changed", {
  timeout: 120_000,
}, async () => {
  await using ground = playground();
  const tree = (files: Iterable<{ path: string; mode: string; content: string }>) => fastImport(ground, files);
  tree([]);
  const repository = await ground.open();
  const sets = fc.array(file, { maxLength: 12 }).map(possible);
  await fc.assert(
    fc.asyncProperty(sets, sets, async (before, after) => {
      const [from, to] = [tree(before.values()), tree(after.values())];
      const changes = await changesOf(repository, from, to);
      const written = await writeTree(
        repository,
        from,
        changes.map(({ path: at, after: now }) => ({ path: at, mode: now?.mode ?? null, oid: now?.oid ?? null })),
      );
      expect(written).toBe(to);
      const listed = await listTree(repository, written);
      expect(listed.map((entry) => entry.path).sort()).toEqual([...after.keys()].map(toRaw).sort());
    }),
    { numRuns: 25 },
  );
});

test("the listing of a written tree is the one that git gives", { timeout: 120_000 }, async () => {
  await using ground = playground();
  const tree = (files: Iterable<{ path: string; mode: string; content: string }>) => fastImport(ground, files);
  tree([]);
  const sets = fc.array(file, { maxLength: 12 }).map(possible);
  const repository = await ground.open();
  await fc.assert(
    fc.asyncProperty(sets, sets, async (before, after) => {
      const [from, to] = [tree(before.values()), tree(after.values())];
      const changes = await changesOf(repository, from, to);
      const asked = { git: repository.git, gitDir: repository.gitDir, objects: repository.objects };
      const derived = new ListingCache({ ...asked, objectFormat: repository.objectFormat });
      const read = new ListingCache({ ...asked, objectFormat: repository.objectFormat });
      await derived.get(from);
      const steps = changes.map(({ path: at, after: now }) => ({
        path: at,
        mode: now?.mode ?? null,
        oid: now?.oid ?? null,
      }));
      derived.derives(to, { from, changes: steps });
      const [one, other] = [await derived.get(to), await read.get(to)];
      expect(one).toEqual(other);
      expect([...one.entries.keys()]).toEqual([...other.entries.keys()]);
    }),
    { numRuns: 25 },
  );
});

test("changes made one after another are, composed, what is between the first tree and the last", {
  timeout: 120_000,
}, async () => {
  await using ground = playground();
  const tree = (files: Iterable<{ path: string; mode: string; content: string }>) => fastImport(ground, files);
  tree([]);
  const repository = await ground.open();
  const sets = fc.array(fc.array(file, { maxLength: 8 }).map(possible), { minLength: 2, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(sets, async (stations) => {
      const trees = stations.map((files) => tree(files.values()));
      const pairs = trees.slice(1).map((to, index) => ({ from: trees[index] ?? "", to }));
      const steps = await changesOfMany(repository, pairs);
      const [whole = []] = await changesOfMany(repository, [{ from: trees[0] ?? "", to: trees.at(-1) ?? "" }]);
      expect(composeChanges(steps)).toEqual(whole.toSorted((a, b) => (a.path < b.path ? -1 : 1)));
    }),
    { numRuns: 20 },
  );
});

test("a file and a directory of one name, and names no tree may hold, are refused", async () => {
  await using ground = playground();
  const tree = fastImport(ground, [
    { path: "d/x", content: "1" },
    { path: "f", content: "2" },
  ]);
  const repository = await ground.open();
  const [{ oid } = { oid: "" }] = await listTree(repository, tree);
  const add = (at: string) => ({ path: rawOf(at), mode: "100644", oid });
  const remove = (at: string) => ({ path: rawOf(at), mode: null, oid: null });
  await expect(writeTree(repository, tree, [add("d")])).rejects.toMatchObject({ code: "conflict" });
  await expect(writeTree(repository, tree, [add("f/x")])).rejects.toMatchObject({ code: "conflict" });
  await expect(writeTree(repository, tree, [add("n/x"), add("n")])).rejects.toMatchObject({ code: "conflict" });
  for (const at of ["", "a//b", ".git/x", "a/.GIT", "../x", "./x", "/x"]) {
    await expect(writeTree(repository, tree, [add(at)]), at).rejects.toMatchObject({ code: "git" });
  }
  const swapped = await writeTree(repository, tree, [remove("d/x"), add("d"), remove("f"), add("f/y")]);
  expect((await listTree(repository, swapped)).map((entry) => entry.path)).toEqual(["d", "f/y"]);
  const empty = await writeTree(repository, tree, [remove("d/x"), remove("f"), remove("absent")]);
  expect(await listTree(repository, empty)).toEqual([]);
  expect(await writeTree(repository, tree, [])).toBe(tree);
});

test("many pairs are compared at once, trees and commits alike", async () => {
  await using ground = playground();
  ground.write("a b\n", "1\n2\n");
  ground.write("bin", Buffer.from([0, 1]));
  const one = ground.commit();
  ground.write("a b\n", "1\n3\n4\n");
  ground.write("bin", Buffer.from([0, 2]));
  const two = ground.commit();
  const repository = await ground.open();
  const changes = await changesOf(repository, one.tree, two.tree);
  expect(changes.map(({ path: at }) => at)).toEqual(["a b\n", "bin"]);
  const pairs = [
    { from: one.tree, to: two.tree },
    { from: two.commit, to: two.tree },
    { from: one.commit, to: two.commit },
  ];
  expect(await changesOfMany(repository, pairs)).toEqual([changes, [], changes]);
  expect(await changesOfMany(repository, [])).toEqual([]);
  await expect(changesOfMany(repository, [{ from: "0".repeat(40), to: two.tree }])).rejects.toMatchObject({
    code: "git",
  });
  const stats = { files: 2, insertions: 2, deletions: 1 };
  expect(await statsOf(repository, one.tree, two.tree)).toEqual(stats);
  const none = { files: 0, insertions: 0, deletions: 0 };
  expect(await statsOfMany(repository, pairs)).toEqual([stats, none, stats]);
  expect(await statsOfMany(repository, [])).toEqual([]);
});

test("a commit is the same whoever makes it and whenever", async () => {
  await using ground = playground();
  ground.write("a", "1");
  const { tree, commit } = ground.commit();
  const repository = await ground.open();
  const order = { tree, parents: [commit], message: "one\n\ntwo", at: 1_700_000_000_999 };
  const first = await commitTree(repository, order);
  expect(await commitTree(repository, order)).toBe(first);
  const date = { GIT_AUTHOR_DATE: "@1700000000 +0000", GIT_COMMITTER_DATE: "@1700000000 +0000" };
  for (const message of ["\n", "Ä\n", "a\n\n", "\n\n b\n"]) {
    const parents = [commit, first];
    const args = ["commit-tree", tree, "-p", commit, "-p", first, "-F", "-"];
    const { stdout } = await repository.git(args, { gitDir: repository.gitDir, input: message, env: date });
    expect(await commitTree(repository, { ...order, parents, message })).toBe(stdout.toString().trim());
  }
  await expect(commitTree(repository, { ...order, tree: commit })).rejects.toMatchObject({ code: "git" });
  await expect(commitTree(repository, { ...order, parents: [tree] })).rejects.toMatchObject({ code: "git" });
  expect((await repository.objects.read(first))?.toString()).toContain(
    "Sheaf <sheaf@localhost> 1700000000 +0000\n\none\n\ntwo\n",
  );
});

test("a checkout is a whole, clean working tree in which git works, and the user's worktrees are not more", async () => {
  await using ground = playground();
  ground.write("a/b", "1\n");
  ground.write(".gitattributes", "* text eol=crlf\n");
  const { tree, commit } = ground.commit();
  const repository = await ground.open();
  const checkouts = await Promise.all(
    [1, 2, 3].map((index) =>
      createCheckout(repository, { directory: join(ground.folder, `c${index}`, "same"), tree, parents: [commit] }),
    ),
  );
  for (const { root } of checkouts) {
    const git = (...args: string[]) => ground.gitIn(root, undefined, ...args).toString();
    expect(git("status", "--porcelain")).toBe("");
    expect(git("ls-files")).toBe(".gitattributes\na/b\n");
    expect(readFileSync(join(root, "a/b"), "utf8")).toBe("1\n");
    writeFileSync(join(root, "a/b"), "2\n");
    expect(git("diff", "--stat")).toContain("a/b");
  }
  expect(ground.git("worktree", "list").split("\n")).toHaveLength(1);
  for (const checkout of checkouts) await checkout.dispose();
  expect((await repository.git(["worktree", "list"], repository)).stdout.toString().trim().split("\n")).toHaveLength(1);
});

test("objects are read over one process, in order, and it is started anew when it ends", async () => {
  await using ground = playground();
  ground.write("small", "s");
  ground.write("large", "x".repeat(3_000_000));
  const { tree } = ground.commit();
  const repository = await ground.open();
  const entries = await listTree(repository, tree, { sizes: true });
  expect(entries.map(({ path: at, size }) => [at, size])).toEqual([
    ["large", 3_000_000],
    ["small", 1],
  ]);
  const asked = Array.from({ length: 60 }, (_, index) => entries[index % 2]?.oid ?? "");
  const read = await Promise.all(asked.map((oid) => repository.objects.read(oid)));
  expect(read.map((bytes) => bytes?.length)).toEqual(asked.map((_, index) => (index % 2 === 0 ? 3_000_000 : 1)));
  expect(await repository.objects.read("0".repeat(40))).toBeUndefined();
  expect(await repository.objects.info("no\nsuch")).toBeUndefined();
  await repository.close();
  expect((await repository.objects.read(entries[1]?.oid ?? ""))?.toString()).toBe("s");
});
