import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createGit } from "../../src/workspace/git.ts";
import { openRepository, type Repository } from "../../src/workspace/repository.ts";

/** A user's repository in a temporary folder, driven by the real git as a user would. */
export interface Playground extends AsyncDisposable {
  folder: string;
  /** The user's checkout. */
  user: string;
  home: string;
  git(...args: string[]): string;
  gitIn(directory: string, input: string | Buffer | undefined, ...args: string[]): Buffer;
  write(path: string, content: string | Buffer): void;
  read(path: string): Buffer;
  commit(message?: string): { commit: string; tree: string };
  open(path?: string): Promise<Repository>;
}

/** Without looking after each commit for something to tidy up. */
const settings = ["init.defaultBranch=main", "protocol.file.allow=always", "maintenance.auto=false"].flatMap((one) => [
  "-c",
  one,
]);

export const git = createGit({ path: process.env.PATH ?? "" });

export function playground(options: { init?: string[]; name?: string } = {}): Playground {
  const folder = mkdtempSync(join(tmpdir(), "sheaf workspace-"));
  const user = join(folder, options.name ?? "user's repo");
  const home = join(folder, "home");
  mkdirSync(user);
  const opened: Repository[] = [];
  const gitIn = (directory: string, input: string | Buffer | undefined, ...args: string[]): Buffer =>
    execFileSync("git", [...settings, ...args], {
      cwd: directory,
      maxBuffer: 2 ** 28,
      stdio: ["pipe", "pipe", "pipe"],
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        GIT_CONFIG_NOSYSTEM: "1",
        GIT_AUTHOR_NAME: "U",
        GIT_AUTHOR_EMAIL: "u@example.com",
        GIT_COMMITTER_NAME: "U",
        GIT_COMMITTER_EMAIL: "u@example.com",
      },
      ...(input === undefined ? {} : { input }),
    });
  const ground: Playground = {
    folder,
    user,
    home,
    gitIn,
    git: (...args) =>
      gitIn(user, undefined, ...args)
        .toString()
        .trimEnd(),
    write: (path, content) => {
      mkdirSync(dirname(join(user, path)), { recursive: true });
      writeFileSync(join(user, path), content);
    },
    read: (path) => readFileSync(join(user, path)),
    commit: (message = "change") => {
      ground.git("add", "-A");
      ground.git("commit", "-q", "--allow-empty", "-m", message);
      const [commit = "", tree = ""] = ground.git("rev-parse", "HEAD", "HEAD^{tree}").split("\n");
      return { commit, tree };
    },
    open: async (path = user) => {
      const repository = await openRepository(path, { home, git });
      opened.push(repository);
      return repository;
    },
    [Symbol.asyncDispose]: async () => {
      for (const repository of opened) await repository.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  ground.git("init", "-q", ...(options.init ?? []));
  return ground;
}

/** Every file below a folder by its name: kind, mode, content hash and time of change, so that a touch shows too. */
export function fingerprint(directory: string, options: { withTimes?: boolean } = {}): Map<string, string> {
  const prints = new Map<string, string>();
  const visit = (at: Buffer): void => {
    for (const entry of readdirSync(at, { withFileTypes: true, encoding: "buffer" })) {
      const path = Buffer.concat([at, Buffer.from("/"), entry.name]);
      const stats = lstatSync(path);
      const time = options.withTimes ? ` ${stats.mtimeMs}` : "";
      const name = path.toString("latin1");
      if (entry.isDirectory()) visit(path);
      else if (entry.isSymbolicLink()) prints.set(name, `link ${readlinkSync(path)}`);
      else {
        const hash = createHash("sha256").update(readFileSync(path)).digest("hex");
        prints.set(name, `${stats.mode.toString(8)} ${hash}${time}`);
      }
    }
  };
  visit(Buffer.from(directory));
  return prints;
}

/** One commit on `main` with these files, without a checkout: fast for very many, and any bytes will do in a name. */
export function fastImport(
  ground: Playground,
  files: Iterable<{ path: Buffer | string; content: string; mode?: string }>,
): string {
  const parts: Buffer[] = [Buffer.from("commit refs/heads/main\ncommitter U <u@example.com> 0 +0000\ndata 1\nx\n")];
  for (const { path, content, mode = "100644" } of files) {
    const name = typeof path === "string" ? Buffer.from(path) : path;
    const quoted = name
      .toString("latin1")
      .replace(/[^A-Za-z0-9/._-]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}`);
    const bytes = Buffer.from(content);
    parts.push(Buffer.from(`M ${mode} inline "${quoted}"\ndata ${bytes.length}\n`), bytes, Buffer.from("\n"));
  }
  ground.gitIn(ground.user, Buffer.concat(parts), "fast-import", "--quiet", "--force");
  return ground.git("rev-parse", "main^{tree}");
}
