import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createGit } from "../../src/workspace/git.ts";
import { ObjectWriter } from "../../src/workspace/object-writer.ts";
import { toRaw } from "../../src/workspace/raw-path.ts";
import { keep } from "../../src/workspace/tree.ts";
import { type Playground, playground } from "./playground.ts";

const idOf = (content: string) => createHash("sha1").update(`blob ${content.length}\0${content}`).digest("hex");

/** A git that notes each of its starts, and its process id, before it becomes the real one. */
function noted(ground: Playground): { writer(gitDir: string): ObjectWriter; starts(): number[] } {
  const folder = join(ground.folder, "bin");
  const log = join(ground.folder, "starts");
  mkdirSync(folder);
  writeFileSync(log, "");
  const real = execFileSync("sh", ["-c", "command -v git"]).toString().trim();
  writeFileSync(join(folder, "git"), `#!/bin/sh\necho $$ >>'${log}'\nexec '${real}' "$@"\n`);
  chmodSync(join(folder, "git"), 0o755);
  return {
    writer: (gitDir) => new ObjectWriter(createGit({ path: `${folder}:${process.env.PATH}` }), gitDir, "sha1"),
    starts: () => readFileSync(log, "utf8").trim().split("\n").filter(Boolean).map(Number),
  };
}

test("hundreds of files are stored by one process, whatever their names", async () => {
  await using ground = playground();
  const { gitDir, objects } = await ground.open();
  const git = noted(ground);
  await using writer = git.writer(gitDir);
  const names = [
    'a "b"',
    "new\nline",
    "tab\t",
    "back\\slash",
    "é",
    " ",
    "#",
    ...Array.from({ length: 600 }, (_, i) => `f${i}`),
  ];
  for (const name of names) ground.write(`d/${name}`, name);
  const oids = await Promise.all(names.map((name) => writer.file(toRaw(join(ground.user, "d", name)))));
  const known = await Promise.all(oids.map((oid) => objects.read(oid)));
  expect(known.map(String)).toEqual(names);
  expect(git.starts()).toHaveLength(1);
});

test("a request that git cannot serve is rejected with what git said, and no other one is", async () => {
  await using ground = playground();
  const { gitDir } = await ground.open();
  const git = noted(ground);
  await using writer = git.writer(gitDir);
  ground.write("a", "a");
  const paths = Array.from({ length: 50 }, (_, index) => (index % 20 === 7 ? `absent${index}` : "a"));
  const stored = await Promise.allSettled(paths.map((path) => writer.file(toRaw(join(ground.user, path)))));
  for (const [index, result] of stored.entries()) {
    if (paths[index] === "a") expect(result).toEqual({ status: "fulfilled", value: idOf("a") });
    else
      expect(result).toMatchObject({
        reason: { code: "git", message: expect.stringMatching(new RegExp(`absent${index}.*No such file`)) },
      });
  }
  await expect(writer.commit(Buffer.from("tree nothing\n"))).rejects.toMatchObject({ code: "git" });
  expect(await writer.file(toRaw(join(ground.user, "a")))).toEqual(idOf("a"));
});

test("a git that is killed is started anew, and what it was asked is asked again", async () => {
  await using ground = playground();
  const { gitDir } = await ground.open();
  const git = noted(ground);
  await using writer = git.writer(gitDir);
  for (const name of ["one", "two", "three"]) ground.write(name, name);
  const file = (name: string) => writer.file(toRaw(join(ground.user, name)));
  expect(await file("one")).toBe(idOf("one"));
  const [first = 0] = git.starts();
  process.kill(first, "SIGSTOP");
  const asked = [file("two"), file("three")];
  process.kill(first, "SIGKILL");
  expect(await Promise.all(asked)).toEqual([idOf("two"), idOf("three")]);
  expect(git.starts()).toHaveLength(2);
});

test("a git that does not start is everybody's fault, not a wait for ever", async () => {
  await using ground = playground();
  const { gitDir } = await ground.open();
  await using writer = new ObjectWriter(createGit({ path: join(ground.folder, "nowhere") }), gitDir, "sha1");
  const asked = await Promise.allSettled([writer.file(toRaw("/a")), writer.ref("refs/sheaf/a", "1".repeat(40))]);
  for (const result of asked) expect(result).toMatchObject({ reason: { code: "configuration" } });
});

test("refs are pointed one by one, and a locked or wrong one hinders no other", async () => {
  await using ground = playground();
  ground.write("a", "a");
  const { commit } = ground.commit();
  const repository = await ground.open();
  const place = join(repository.gitDir, "refs/sheaf/job");
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, "locked.lock"), "");
  const point = (name: string, at = commit) => keep(repository, `refs/sheaf/job/${name}`, at);
  const done = await Promise.allSettled([
    point("0"),
    point("locked"),
    point("1"),
    point("2", "1".repeat(40)),
    point("bad..name"),
    point("3"),
    point("with space"),
    point("0"),
  ]);
  expect(done.map((result) => (result.status === "fulfilled" ? "" : result.reason.code))).toEqual([
    "",
    "locked",
    "",
    "git",
    "git",
    "",
    "internal",
    "",
  ]);
  const { stdout } = await repository.git(["for-each-ref", "--format=%(refname) %(objectname)"], repository);
  expect(stdout.toString().trim().split("\n")).toEqual(
    ["0", "1", "3"].map((name) => `refs/sheaf/job/${name} ${commit}`),
  );
});
