import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder with a repository in it, and a program `planted` on its PATH that leaves a mark. Removed with `close`. */
export interface Field {
  /** Which of these texts really run `planted` under bash; all in one process after another. */
  plants(texts: readonly string[]): boolean[];
  close(): void;
}

export function openField(): Field {
  const root = mkdtempSync(join(tmpdir(), "sheaf-tricks-"));
  const work = join(root, "work");
  const bin = join(root, "bin");
  for (const folder of [work, bin, join(root, "marks"), join(root, "texts"), join(work, "bin")]) mkdirSync(folder);
  for (const path of [join(bin, "planted"), join(bin, "git-planted"), join(work, "bin", "git-planted")]) {
    writeFileSync(path, '#!/bin/sh\n: > "$MARK"\n');
    chmodSync(path, 0o755);
  }
  writeFileSync(join(work, "big.txt"), Array.from({ length: 20_000 }, (_, index) => `${index}\n`).join(""));
  writeFileSync(join(work, "Makefile"), "all:\n\t@echo $(X)\n");
  const environment = {
    PATH: `${bin}:${process.env.PATH ?? ""}`,
    HOME: root,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_AUTHOR_NAME: "a",
    GIT_AUTHOR_EMAIL: "a@b",
    GIT_COMMITTER_NAME: "a",
    GIT_COMMITTER_EMAIL: "a@b",
  };
  const bash = (script: string) => {
    execFileSync("bash", ["-c", script], { cwd: work, env: environment, stdio: ["ignore", "ignore", "pipe"] });
  };
  bash(prepare);
  return {
    plants(texts) {
      for (const [index, text] of texts.entries()) writeFileSync(join(root, "texts", String(index)), text);
      bash(runAll(root, texts.length));
      return texts.map((_, index) => {
        const mark = join(root, "marks", String(index));
        const isThere = existsSync(mark);
        rmSync(mark, { force: true });
        return isThere;
      });
    },
    close: () => rmSync(root, { recursive: true, force: true }),
  };
}

const prepare = `set -e
git init -q .; echo hello > a.txt; echo more > b.txt; git add a.txt; git commit -qm one
echo hello2 >> a.txt; git commit -qam two; echo changed >> a.txt; git stash -q; git stash apply -q
tar -cf a.tar b.txt`;

/** Each text in a bash of its own; what one leaves behind in the files is put away before the next. */
function runAll(root: string, count: number): string {
  return `for ((n = 0; n < ${count}; n++)); do
  MARK=${root}/marks/$n timeout 10 bash -c "$(<${root}/texts/$n)" </dev/null >/dev/null 2>&1
done; wait; true`;
}
