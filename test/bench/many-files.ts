import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";

/** How many files one directory of a generated repository holds. */
export const filesPerDirectory = 25;

/**
 * Makes `directory` a repository with one commit of `count` source-like files of about 2 kB, each with a text of its
 * own, 25 to a directory. Nothing is checked out: the branch is there, the working tree is empty.
 */
export async function manyFiles(directory: string, count: number): Promise<void> {
  await git(directory, ["init", "--quiet", "--initial-branch=main", directory]);
  const child = spawn("git", ["-C", directory, "fast-import", "--quiet"], { stdio: ["pipe", "inherit", "inherit"] });
  const ended = once(child, "close");
  await pipeline(Readable.from(stream(count)), child.stdin);
  const [code] = await ended;
  if (code !== 0) throw new Error(`git fast-import ended with ${code}`);
  await git(directory, ["reset", "--quiet", "--mixed"]);
}

/** Runs git as a user would: with the user's own configuration, in `directory`. Answers what it printed. */
export async function git(directory: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)("git", ["-C", directory, ...args], { maxBuffer: 2 ** 28 });
  return stdout.trim();
}

function* stream(count: number): Generator<string> {
  yield "commit refs/heads/main\ncommitter B <b@b> 1700000000 +0000\ndata 4\nbase\n";
  for (let file = 0; file < count; file++) {
    const text = textOf(file);
    yield `M 100644 inline ${pathOf(file)}\ndata ${text.length}\n${text}\n`;
  }
}

/** `src/part-3/group-17/file-4.ts`: 40 directories to a part. */
function pathOf(file: number): string {
  const directory = Math.floor(file / filesPerDirectory);
  return `src/part-${Math.floor(directory / 40)}/group-${directory % 40}/file-${file % filesPerDirectory}.ts`;
}

function textOf(file: number): string {
  const lines = Array.from(
    { length: 30 },
    (_, line) =>
      `export const value${line} = compute(${file}, ${(file * 31 + line * 17) % 9973}, "${line % 7} of ${file}");`,
  );
  return `import { compute } from "../compute.ts";\n\n${lines.join("\n")}\n`;
}
