import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { takeRepository } from "../../src/coordinator/take-repository.ts";
import { Fault } from "../../src/protocol/failure.ts";
import { withBundle } from "../../src/workspace/outgoing-bundle.ts";
import { listTree } from "../../src/workspace/tree.ts";
import { git, type Playground, playground } from "../workspace/playground.ts";

let ground: Playground;
let base: { commit: string; tree: string };
beforeAll(() => {
  ground = playground();
  ground.write("src/a.js", "1\n");
  ground.write("deep/er/b.js", "2\n");
  base = ground.commit("base");
});
afterAll(() => ground[Symbol.asyncDispose]());

const closed = { isTrusted: false, roots: [] as string[], isAllowedUrl: () => false };

/** Puts bytes where the server keeps bundles; answers their name. */
function put(bytes: Buffer): string {
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  mkdirSync(join(ground.home, "bundles"), { recursive: true });
  writeFileSync(join(ground.home, "bundles", sha256), bytes);
  return sha256;
}

function take(bundle: string, commit: string) {
  return takeRepository({ repository: { bundle }, commit }, closed, { git, home: ground.home });
}

async function refusal(work: Promise<unknown>): Promise<Fault> {
  const thrown = await work.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (thrown instanceof Fault) return thrown;
  throw new Error(`no Fault: ${String(thrown)}`);
}

/** A bundle of a tree that git itself would not make: raw objects, written without a check. */
function bundleOfTree(entries: Buffer): { bytes: Buffer; commit: string } {
  const place = join(ground.folder, `odd-${createHash("sha256").update(entries).digest("hex").slice(0, 8)}`);
  execFileSync("git", ["init", "-q", "-b", "main", place]);
  const hash = (type: string, input: Buffer) =>
    ground.gitIn(place, input, "hash-object", "-t", type, "--literally", "-w", "--stdin").toString().trim();
  hash("blob", Buffer.alloc(0));
  hash("tree", Buffer.alloc(0));
  const tree = hash("tree", entries);
  const who = "U <u@example.com> 1700000000 +0000";
  const commit = hash("commit", Buffer.from(`tree ${tree}\nauthor ${who}\ncommitter ${who}\n\nodd\n`));
  const pack = ground.gitIn(place, Buffer.from(`${commit}\n`), "pack-objects", "--stdout", "--revs", "-q");
  return { bytes: Buffer.concat([Buffer.from(`# v2 git bundle\n${commit} refs/heads/x\n\n`), pack]), commit };
}

function entry(mode: string, name: string, oid: string): Buffer {
  return Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, "hex")]);
}

describe("a bundle", () => {
  it("becomes a repository with the commit's tree, and nobody's refs", async () => {
    const own = await ground.open();
    const bytes = await withBundle(own, base.commit, async ({ file }) => readFileSync(file));
    const renamed = Buffer.from(
      bytes.toString("latin1").replace(/refs\/sheaf\/outgoing\/\S+/, "refs/../../escape"),
      "latin1",
    );
    const taken = await take(put(renamed), base.commit);
    expect((await listTree(taken, base.tree)).map(({ path }) => path).sort()).toEqual(["deep/er/b.js", "src/a.js"]);
    expect(ground.gitIn(taken.user.gitDir, undefined, "for-each-ref", "--format=%(refname)").toString()).toBe(
      "refs/heads/bundle\n",
    );
    await taken.close();
  });

  it.each([
    ["random bytes", () => Buffer.from("not a bundle at all"), /does not begin as one/],
    ["a header without a pack", () => Buffer.from("# v2 git bundle\n\nnothing"), /holds no pack/],
    [
      "a header that never ends",
      () => Buffer.from(`# v2 git bundle\n${"x".repeat(2_000_000)}`),
      /does not begin as one/,
    ],
    [
      "one that needs more",
      () => Buffer.from(`# v2 git bundle\n-${"1".repeat(40)} x\n${"2".repeat(40)} refs/heads/x\n\nPACK`),
      /needs commits that it does not hold/,
    ],
    ["an odd capability", () => Buffer.from("# v3 git bundle\n@filter=blob:none\n\nPACK"), /cannot read/],
    ["a broken pack", () => Buffer.from(`# v2 git bundle\n\nPACK${"\0".repeat(60)}`), /does not take its objects/],
  ])("is refused when it is %s", async (_, make, message) => {
    const fault = await refusal(take(put(make()), base.commit));
    expect(fault).toMatchObject({ code: "bundle", message: expect.stringMatching(message) });
  });

  const blob = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";
  it.each([
    [".git", entry("40000", ".git", "4b825dc642cb6eb9a060e54bf8d69288fbee4904")],
    ["..", entry("40000", "..", "4b825dc642cb6eb9a060e54bf8d69288fbee4904")],
    [".GIT", entry("40000", ".GIT", "4b825dc642cb6eb9a060e54bf8d69288fbee4904")],
    ["a/b in one name", entry("100644", "a/b", blob)],
    ["the same name twice", Buffer.concat([entry("100644", "a", blob), entry("100644", "a", blob)])],
  ])("with a tree that holds %s is refused, and nothing of it stays", async (_, tree) => {
    const { bytes, commit } = bundleOfTree(tree);
    const name = put(bytes);
    expect(await refusal(take(name, commit))).toMatchObject({ code: "bundle" });
    expect(readdirSync(join(ground.home, "bundled")).filter((file) => file.startsWith(name))).toEqual([]);
  });

  it("without the commit that was named is refused", async () => {
    const own = await ground.open();
    const bytes = await withBundle(own, base.commit, async ({ file }) => readFileSync(file));
    const fault = await refusal(take(put(Buffer.concat([bytes])), "1".repeat(40)));
    expect(fault.message).toContain("is not in it");
    expect(await refusal(take("0".repeat(64), base.commit))).toMatchObject({ code: "bundle" });
  });
});

describe("a folder", () => {
  const order = (path: string, more: Partial<typeof closed>) =>
    takeRepository({ repository: { path } }, { ...closed, ...more }, { git, home: ground.home });

  it("is taken below a root, and by whoever is trusted", async () => {
    const below = await order(ground.user, { roots: [ground.folder] });
    expect(below.user.top).toBe(ground.user);
    await below.close();
    await (await order(ground.user, { isTrusted: true })).close();
  });

  it("is refused when the repository it is in begins above the roots, or is kept elsewhere", async () => {
    const inner = join(ground.user, "plain");
    mkdirSync(inner, { recursive: true });
    expect((await refusal(order(inner, { roots: [inner] }))).code).toBe("not_allowed");
    const pointing = join(ground.folder, "pointing");
    mkdirSync(pointing);
    writeFileSync(join(pointing, ".git"), `gitdir: ${join(ground.user, ".git")}\n`);
    expect((await refusal(order(pointing, { roots: [pointing] }))).code).toBe("not_allowed");
  });

  it("is refused elsewhere, whatever way leads there, without a word on whether it exists", async () => {
    const root = join(ground.folder, "root");
    mkdirSync(root);
    symlinkSync(ground.user, join(root, "link"));
    const ways = ["link", "../user's repo", "nothing", "link/../link/src"].map((way) => join(root, way));
    const said = new Set<string>();
    for (const path of [...ways, `${root}x`, "relative", "/", "/etc"]) {
      const fault = await refusal(order(path, { roots: [root] }));
      expect(fault.code).toBe("not_allowed");
      said.add(fault.message);
    }
    expect(said.size).toBe(1);
  });
});

describe("an address", () => {
  it("is refused unless the operator allowed it", async () => {
    const repository = { url: "https://example.invalid/x.git" };
    const fault = await refusal(takeRepository({ repository }, closed, { git, home: ground.home }));
    expect(fault.code).toBe("not_allowed");
  });
});
