import { createHash } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openSheaf, patience, type Sheaf } from "../support/sheaf.ts";
import { fastImport, type Playground, playground } from "../workspace/playground.ts";

/** Repositories as they are found in the wild, each through one whole `sheaf run --codemod node-protocol`. */
let sheaf: Sheaf;
const grounds: Playground[] = [];

beforeAll(() => {
  sheaf = openSheaf({ inProcess: true });
});
afterAll(async () => {
  await sheaf[Symbol.asyncDispose]();
  for (const ground of grounds) await ground[Symbol.asyncDispose]();
});

function newGround(...options: Parameters<typeof playground>): Playground {
  const ground = playground(...options);
  grounds.push(ground);
  return ground;
}

const before = 'require("fs");\n';
const after = 'require("node:fs");\n';
const run = (repository: string, ...words: string[]) =>
  sheaf.job(["--codemod", "node-protocol", "--repo", repository, ...words]);

type File = { path: string | Buffer; content: string; mode?: string };

/** Mode, blob and name of every entry of a tree, by the bytes of its name. */
function entries(ground: Playground, tree: string, borrowed?: string): string[] {
  const env = borrowed ? ["-c", `core.alternateRefsCommand=`, `--git-dir=${borrowed}`] : [];
  const listed = ground.gitIn(ground.user, undefined, ...env, "ls-tree", "-r", "-z", tree);
  return listed.toString("latin1").split("\0").slice(0, -1);
}

function ownRepository(ground: Playground): string {
  const key = createHash("sha256").update(join(ground.user, ".git")).digest("hex");
  return join(sheaf.home, "repositories", `${key}.git`);
}

const blob = (content: string) =>
  createHash("sha1")
    .update(`blob ${Buffer.byteLength(content)}\0${content}`)
    .digest("hex");

describe("a whole run", { timeout: patience }, () => {
  it("changes what it should in odd names and odd contents, and carries all else through to the byte", async () => {
    const ground = newGround();
    const turned: [File, string][] = [
      [{ path: "a name with  spaces.js", content: before }, after],
      [{ path: "new\nline.js", content: before }, after],
      [{ path: 'tab\t"quote" \\back.js', content: before }, after],
      [{ path: "-f.js", content: before }, after],
      [{ path: "ünïcödé/日本.js", content: before }, after],
      [{ path: "#hash!.js", content: before }, after],
      [
        { path: "crlf.js", content: 'require("fs");\r\nrequire("path");\r\n' },
        'require("node:fs");\r\nrequire("node:path");\r\n',
      ],
      [{ path: "mixed.js", content: 'require("fs");\r\nx;\n' }, 'require("node:fs");\r\nx;\n'],
      [{ path: "bom.js", content: '\ufeffrequire("fs")' }, '\ufeffrequire("node:fs")'],
      [{ path: "end.js", content: 'require("fs")' }, 'require("node:fs")'],
      [{ path: "bin.js", content: `#!/usr/bin/env node\n${before}`, mode: "100755" }, `#!/usr/bin/env node\n${after}`],
      [{ path: "Case.js", content: before }, after],
      [{ path: "case.js", content: `${before}// lower\n` }, `${after}// lower\n`],
      [
        { path: "types.tsx", content: 'import fs from "fs"; const a = <b>fs</b>;\n' },
        'import fs from "node:fs"; const a = <b>fs</b>;\n',
      ],
    ];
    const left: File[] = [
      { path: Buffer.from("latin-\xe9.js", "latin1"), content: before },
      { path: "empty.js", content: "" },
      { path: "binary.js", content: 'require("fs");\0\n' },
      { path: "picture.png", content: "\u0089PNG\r\n\0" },
      {
        path: "pointer.js",
        content: `version https://git-lfs.github.com/spec/v1\noid sha256:${"a".repeat(64)}\nsize 1\n`,
      },
      { path: ".gitattributes", content: "pointer.js filter=lfs diff=lfs merge=lfs -text\n*.js text eol=crlf\n" },
      { path: "linked.js", content: "crlf.js", mode: "120000" },
      { path: "dangling.js", content: "../../nowhere.js", mode: "120000" },
    ];
    fastImport(ground, [...turned.map(([file]) => file), ...left]);
    const module = "1".repeat(40);
    ground.gitIn(ground.user, undefined, "read-tree", "main");
    ground.gitIn(ground.user, `160000 ${module}\tvendor/module\n`, "update-index", "--index-info");
    ground.git("commit", "-q", "-m", "submodule");
    const { result, stdout } = await run(ground.user);
    expect(result).toMatchObject({ outcome: "succeeded", exit_code: 0 });
    expect(result.unsplit).toEqual([{ path: "latin-\\xe9.js", reason: "its name is not UTF-8: it stays as it is" }]);
    const wanted = new Map(entries(ground, "HEAD").map((line) => [line.split("\t").slice(1).join("\t"), line]));
    for (const [{ path, mode = "100644" }, content] of turned) {
      const name = Buffer.from(path).toString("latin1");
      wanted.set(name, `${mode} blob ${blob(content)}\t${name}`);
    }
    expect(entries(ground, result.result_tree ?? "", ownRepository(ground))).toEqual([...wanted.values()]);
    expect(JSON.parse(stdout).tasks[0].files_changed).toBe(turned.length);
    const shown = await sheaf.call(["show", "last"]);
    expect(shown.stdout).toMatch(/LEFT .*\n[\s\S]*latin-\\xe9\.js {2}\(its name is not UTF-8/);
  });

  it("works from a detached HEAD, a linked worktree, a shallow clone, a subfolder, a bare repository and a tag", async () => {
    const ground = newGround();
    ground.write("src/a.js", before);
    const first = ground.commit("first");
    ground.git("tag", "-a", "-m", "one", "v1");
    ground.write("src/b.js", before);
    const second = ground.commit("second");
    const linked = join(ground.folder, "linked tree");
    ground.git("worktree", "add", "-q", "--detach", linked, "HEAD~1");
    const shallow = join(ground.folder, "shallow");
    ground.gitIn(ground.folder, undefined, "clone", "-q", "--depth=1", `file://${ground.user}`, shallow);
    const bare = join(ground.folder, "bare.git");
    ground.gitIn(ground.folder, undefined, "clone", "-q", "--bare", ground.user, bare);
    ground.git("checkout", "-q", "--detach");
    const seen = async (repository: string, ...words: string[]) => {
      const { result } = await run(repository, ...words);
      const files = result.tasks.reduce((sum, task) => sum + task.files_changed, 0);
      return { outcome: result.outcome, base: result.base_commit, files };
    };
    expect(await seen(join(ground.user, "src"), "--publish", "branch=from-detached")).toEqual({
      outcome: "succeeded",
      base: second.commit,
      files: 2,
    });
    expect(ground.git("diff", "--stat", "HEAD", "from-detached")).toContain("2 files changed");
    expect(await seen(linked)).toEqual({ outcome: "succeeded", base: first.commit, files: 1 });
    expect((await sheaf.call(["apply"])).stdout).toContain(`1 file changed in ${linked}`);
    expect(await seen(shallow, "--publish", "branch=deep")).toEqual({
      outcome: "succeeded",
      base: second.commit,
      files: 2,
    });
    expect(ground.gitIn(shallow, undefined, "rev-list", "--count", "deep").toString()).toBe("2\n");
    expect(await seen(bare, "--publish", "branch=home")).toEqual({
      outcome: "succeeded",
      base: second.commit,
      files: 2,
    });
    expect(await sheaf.call(["apply"])).toMatchObject({ code: 64, stderr: expect.stringContaining("bare repository") });
    expect(await seen(ground.user, "--ref", "v1")).toEqual({ outcome: "succeeded", base: first.commit, files: 1 });
  });

  it("takes a repository of 50,000 files", async () => {
    const ground = newGround();
    const many = Array.from({ length: 50_000 }, (_, index) => {
      const folder = `d${Math.floor(index / 5_000)}/e${Math.floor(index / 50) % 100}`;
      const isSource = index % 5_000 === 7;
      return { path: `${folder}/f${index}.${isSource ? "js" : "txt"}`, content: isSource ? before : `${index % 50}\n` };
    });
    const tree = fastImport(ground, many);
    const { result } = await run(ground.user);
    expect(result).toMatchObject({ outcome: "succeeded", tasks: [{ files_changed: 10, landed: true }] });
    const changed = ground.gitIn(
      ground.user,
      undefined,
      `--git-dir=${ownRepository(ground)}`,
      "diff-tree",
      "-r",
      tree,
      result.result_tree ?? "",
    );
    expect(changed.toString().trim().split("\n")).toHaveLength(10);
  });
});
