import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createCheckout } from "../../src/workspace/checkout.ts";
import { createWorkspace } from "../../src/workspace/workspace.ts";
import { type Playground, playground } from "./playground.ts";

/** A tree that no git would make: its entries as they are given, in that order. */
function rawTree(ground: Playground, entries: readonly [mode: string, name: string, oid: string][]): string {
  const bytes = entries.flatMap(([mode, name, oid]) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, "hex")]);
  return write(ground, "tree", Buffer.concat(bytes));
}

function write(ground: Playground, type: string, bytes: Buffer | string): string {
  const args = ["hash-object", "-w", "-t", type, "--literally", "--stdin"];
  return ground
    .gitIn(ground.user, Buffer.from(bytes), ...args)
    .toString()
    .trim();
}

function commitOf(ground: Playground, tree: string): string {
  const who = "U <u@example.com> 1700000000 +0000";
  const commit = write(ground, "commit", `tree ${tree}\nauthor ${who}\ncommitter ${who}\n\nhostile\n`);
  ground.git("update-ref", "refs/heads/hostile", commit);
  return commit;
}

type Make = (ground: Playground, blob: string) => string;
const inside =
  (name: string): Make =>
  (ground, blob) =>
    rawTree(ground, [["40000", name, rawTree(ground, [["100644", "pwned", blob]])]]);

const trees: [what: string, make: Make][] = [
  ["..", inside("..")],
  [".", inside(".")],
  [".git", inside(".git")],
  [".GIT", inside(".GIT")],
  ["an empty name", inside("")],
  ["a name with slashes", inside("../..")],
  ["an absolute name", (ground, blob) => rawTree(ground, [["100644", "/tmp/pwned", blob]])],
  ["a file by a way up", (ground, blob) => rawTree(ground, [["100644", "../pwned", blob]])],
  [
    "a link and a folder of one name",
    (ground, blob) =>
      rawTree(ground, [
        ["120000", "a", write(ground, "blob", "..")],
        ["40000", "a", rawTree(ground, [["100644", "pwned", blob]])],
      ]),
  ],
  [
    "a file twice",
    (ground, blob) =>
      rawTree(ground, [
        ["120000", "a", write(ground, "blob", "../pwned")],
        ["100644", "a", blob],
      ]),
  ],
];

test.each(trees)("a tree with %s is refused before a file of it is written", async (_what, make) => {
  await using ground = playground();
  ground.write("README", "x");
  ground.commit();
  const tree = make(ground, write(ground, "blob", "pwned\n"));
  const commit = commitOf(ground, tree);
  const repository = await ground.open();
  const work = join(ground.folder, "work");
  const orders = [{ directories: [""] }, { files: ["a", "a/pwned", "../pwned", ".git/pwned"] }];
  for (const [index, order] of orders.entries()) {
    await expect(
      createWorkspace(repository, { directory: join(work, `workspace-${index}`), tree, ...order }),
    ).rejects.toThrow(/holds ".*", by a name that no checkout can have, or twice|empty filename/);
  }
  // Here git itself looks at the names; what it lets through is inside.
  await createCheckout(repository, { directory: join(work, "checkout"), tree, parents: [commit] }).catch(() => {});
  const written = existsSync(work) ? readdirSync(work, { recursive: true }).map(String) : [];
  expect(written.filter((path) => path.includes("pwned") && !path.startsWith("checkout/a"))).toEqual([]);
  expect(existsSync("/tmp/pwned")).toBe(false);
});
