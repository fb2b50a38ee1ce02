import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Base, JobSpec } from "../../src/protocol/job.ts";
import { resolveBase } from "../../src/workspace/base.ts";
import { patchOf, statsOf } from "../../src/workspace/diff.ts";
import { withBundle } from "../../src/workspace/outgoing-bundle.ts";
import { applyToCheckout } from "../../src/workspace/publish.ts";
import { openRepository } from "../../src/workspace/repository.ts";
import { runSpec } from "../support/bench-job.ts";
import { openTestBench, plantRepository, type TestBench, writingTask } from "../support/equipment.ts";

let bench: TestBench;
let alarm: string;
let place: string;
beforeAll(async () => {
  bench = await openTestBench();
  alarm = join(bench.folder, "alarm");
  place = join(bench.folder, "hostile");
});
afterAll(() => bench[Symbol.asyncDispose]());

/** Settings that name a program, in the repository's configuration and in the user's own. */
const settings = `core.fsmonitor core.sshCommand core.pager core.editor core.askPass core.gitProxy
  core.alternateRefsCommand diff.external diff.evil.command diff.evil.textconv filter.evil.clean filter.evil.smudge
  merge.evil.driver gpg.program gpg.ssh.program gpg.x509.program credential.helper sequence.editor
  uploadpack.packObjectsHook remote.origin.uploadpack remote.origin.receivepack remote.origin.vcs
  interactive.diffFilter pager.diff pager.log pager.status difftool.evil.cmd mergetool.evil.cmd trailer.evil.command
  alias.rev-parse alias.status alias.diff-tree sendemail.sendmailCmd web.browser man.evil.cmd`.split(/\s+/);
const hooks = `applypatch-msg commit-msg fsmonitor-watchman post-applypatch post-checkout post-commit post-index-change
  post-merge post-receive post-rewrite post-update pre-applypatch pre-auto-gc pre-commit pre-merge-commit pre-push
  pre-rebase pre-receive prepare-commit-msg proc-receive push-to-checkout reference-transaction update`.split(/\s+/);

/** Each program writes its own name down, so that it shows which setting was obeyed. */
function program(name: string): string {
  const file = join(bench.folder, "programs", name);
  mkdirSync(join(bench.folder, "programs"), { recursive: true });
  writeFileSync(
    file,
    `#!/bin/sh\necho "${name}" >> '${alarm}'\n${name.startsWith("filter") ? "exec cat" : "exit 0"}\n`,
  );
  chmodSync(file, 0o755);
  return file;
}

function configuration(): string {
  const lines = settings.map((key) => {
    const [, section = "", middle, name = ""] = /^([^.]+)\.(?:(.+)\.)?([^.]+)$/.exec(key) ?? [];
    const prefix = section === "alias" || key === "credential.helper" ? "!" : "";
    return `[${section}${middle === undefined ? "" : ` "${middle}"`}]\n\t${name} = "${prefix}${program(key)}"\n`;
  });
  return `${lines.join("")}[core]
	hooksPath = ${join(bench.folder, "hooks")}
	attributesFile = ${join(bench.folder, "attributes")}
[commit]
	gpgSign = true
[log]
	showSignature = true
[init]
	templateDir = ${join(bench.folder, "template")}
[gc]
	auto = 1
[submodule]
	recurse = true
[submodule "sub"]
	update = "!${program("submodule.update")}"
[protocol "ext"]
	allow = always
[url "ext::${program("url.insteadOf")} "]
	insteadOf = /
`;
}

const identity = {
  GIT_AUTHOR_NAME: "U",
  GIT_AUTHOR_EMAIL: "u@example.com",
  GIT_COMMITTER_NAME: "U",
  GIT_COMMITTER_EMAIL: "u@example.com",
};

function plant(): void {
  plantRepository(place, {
    "one/a.txt": "a\n",
    "two/b.txt": "b\n",
    "x.bin": "filtered\n",
    ".gitattributes": "* diff=evil merge=evil\n*.bin filter=evil\n",
  });
  const written = configuration();
  for (const folder of [join(bench.folder, "hooks"), join(bench.folder, "template/hooks"), join(place, ".git/hooks")]) {
    mkdirSync(folder, { recursive: true });
    for (const hook of hooks) {
      rmSync(join(folder, hook), { force: true });
      symlinkSync(program(`hook-${hook}`), join(folder, hook));
    }
  }
  writeFileSync(join(bench.folder, "attributes"), "* filter=evil\n");
  writeFileSync(join(bench.folder, "included"), written);
  writeFileSync(join(place, ".git/config"), `${readFileSync(join(place, ".git/config"), "utf8")}${written}`);
  writeFileSync(join(bench.folder, ".gitconfig"), `[include]\n\tpath = ${join(bench.folder, "included")}\n`);
  // Not committed: what --include-dirty takes along.
  writeFileSync(join(place, "two/b.txt"), "changed\n");
  writeFileSync(join(place, "two/fresh.txt"), "fresh\n");
}

function heard(): string[] {
  return existsSync(alarm) ? [...new Set(readFileSync(alarm, "utf8").trim().split("\n"))].sort() : [];
}

describe("a repository with a program behind every setting", () => {
  it("runs them under plain git, and none in the whole life of a job", async () => {
    plant();
    const copy = join(bench.folder, "copy");
    cpSync(place, copy, { recursive: true, verbatimSymlinks: true });
    for (const words of [
      ["status"],
      ["diff"],
      ["add", "-A"],
      ["commit", "-m", "x"],
      ["checkout", "-qb", "y"],
      ["gc"],
    ]) {
      spawnSync("git", words, {
        cwd: copy,
        env: { PATH: process.env.PATH, HOME: bench.folder, ...identity },
        timeout: 20_000,
      });
    }
    expect(heard()).toEqual(
      expect.arrayContaining(
        "core.fsmonitor diff.evil.command filter.evil.clean gpg.program hook-pre-commit".split(" "),
      ),
    );
    rmSync(alarm);

    const { equipment, folder } = bench;
    await using repository = Object.assign(
      await openRepository(place, { home: equipment.home, git: equipment.git, userHome: folder }),
      { [Symbol.asyncDispose]: async () => repository.close() },
    );
    const { base, dirty } = await resolveBase(repository, "HEAD", { includeDirty: true });
    expect(dirty.sample).toEqual(["two/b.txt", "two/fresh.txt"]);
    const { result } = await runSpec(bench, jobOn(base), repository);
    expect(result).toMatchObject({ outcome: "succeeded", published: { branch: "sheaf/result" } });
    const commit = result.result_commit ?? "";
    expect((await patchOf(repository, base.commit, commit)).toString()).toContain("written by one");
    expect(await statsOf(repository, base.commit, commit)).toMatchObject({ files: 2 });
    await withBundle(repository, commit, async ({ file }) => expect(existsSync(file)).toBe(true));
    const { paths } = await applyToCheckout(repository, { from: base.commit, to: commit });
    expect(paths).toEqual(["one/log.txt", "one/out.txt"]);
    expect(heard()).toEqual([]);
  }, 120_000);
});

/** An agent, a command that uses git, a check that does so too, and a branch. */
function jobOn(base: Base): JobSpec {
  const agent = writingTask("one");
  const run = "git status --short && git diff --stat HEAD && git log -1 --oneline > one/log.txt";
  return {
    name: "hostile",
    base,
    inputs: {},
    split: { by: "none" },
    before: [],
    after: [],
    each: [],
    tasks: [{ ...agent, steps: [...agent.steps, { kind: "command", run, may_fail: false, timeout_ms: 20_000 }] }],
    checks: [
      {
        kind: "command",
        name: "git",
        run: "git status --short && git log --show-signature -1 && git diff HEAD && test -f one/out.txt",
        expect: "pass",
        at: "tree",
        parse: "exit",
        timeout_ms: 20_000,
        retries: 0,
      },
    ],
    permissions: { allow: [], deny: [] },
    land: "green",
    publish: { kind: "branch", name: "sheaf/result", existing: "refuse", on_base_moved: "keep", group_by: "job" },
    limits: { time_ms: 60_000, idle_ms: 30_000 },
  };
}
