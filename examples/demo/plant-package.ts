import { execFile } from "node:child_process";
import { cp, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";

/** A real package as it was published, in a git repository of its own. */
export interface PlantedPackage {
  name: string;
  version: string;
  repository: string;
  commit: string;
  /** All its files, relative to the repository. */
  files: string[];
  /** Where what it depends on is installed. */
  dependencies: string;
}

const manifestShape = z.object({ name: z.string(), version: z.string() });

/** Copies it to `root` and commits it: the same commit for everybody. Nothing of the user's git is read. */
export async function plantPackage(root: string, signal: AbortSignal): Promise<PlantedPackage> {
  const manifest = fileURLToPath(import.meta.resolve("fastify/package.json"));
  const source = dirname(manifest);
  const { name, version } = manifestShape.parse(JSON.parse(await readFile(manifest, "utf8")));
  const repository = join(root, name);
  // A demo that was cut off may have left half of it.
  await rm(repository, { recursive: true, force: true });
  await cp(source, repository, { recursive: true, filter: (path) => path !== join(source, "node_modules") });
  const git = (...args: string[]) => runGit(args, repository, signal);
  await git("init", "--quiet", "--template=", "--initial-branch=main");
  await git("add", "--all", "--force");
  await git("commit", "--quiet", `--message=${name} ${version}, as published`);
  const files = (await git("ls-files", "-z")).split("\0").slice(0, -1);
  const commit = (await git("rev-parse", "HEAD")).trim();
  return { name, version, repository, commit, files, dependencies: dirname(source) };
}

const run = promisify(execFile);

async function runGit(args: string[], cwd: string, signal: AbortSignal): Promise<string> {
  const settings = ["core.autocrlf=false", "commit.gpgSign=false", "core.hooksPath=/dev/null"];
  const options = { cwd, env: gitEnvironment(cwd), signal, maxBuffer: 64 * 2 ** 20 };
  const { stdout } = await run("git", [...settings.flatMap((setting) => ["-c", setting]), ...args], options);
  return stdout;
}

/** No personal or system configuration, no GIT_DIR of a hook that this may run in, and a date that never changes. */
function gitEnvironment(home: string): NodeJS.ProcessEnv {
  const [name, email, date] = ["Sheaf demo", "demo@sheaf.invalid", "2024-01-01T00:00:00Z"];
  return {
    PATH: process.env.PATH,
    HOME: home,
    LC_ALL: "C",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
    GIT_COMMITTER_DATE: date,
  };
}
