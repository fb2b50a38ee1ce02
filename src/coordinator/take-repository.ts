import { createHash } from "node:crypto";
import { realpath, stat } from "node:fs/promises";
import { isAbsolute, join, relative } from "node:path";
import { Fault } from "../protocol/failure.ts";
import type { JobRequest } from "../protocol/job-request.ts";
import { fetchUrl } from "../workspace/fetch-url.ts";
import { openRepository, type Repository } from "../workspace/repository.ts";
import { unbundle } from "../workspace/unbundle.ts";
import type { Equipment } from "./equipment.ts";

/**
 * The repository a request names, open. Whoever comes over the network reaches only what the operator has opened to
 * them; whoever comes through the data folder's own socket is the operator.
 */
export interface RepositoryRules {
  isTrusted: boolean;
  /** Folders below which repositories may be named. */
  roots: readonly string[];
  /** May the server fetch from there? */
  isAllowedUrl(url: string): boolean;
}

/** Throws Fault `not_allowed`, `bundle`, `not_a_repository`, `provider_unavailable`, `usage` or `git`. */
export async function takeRepository(
  request: Pick<JobRequest, "repository" | "commit">,
  rules: RepositoryRules,
  { git, home }: Pick<Equipment, "git" | "home">,
): Promise<Repository> {
  const { repository } = request;
  if ("path" in repository) {
    const opened = await openRepository(await allowedFolder(repository.path, rules), { home, git });
    return inRoots(opened, rules);
  }
  if ("url" in repository) {
    if (!rules.isAllowedUrl(repository.url)) throw notAllowed("that address", "server.urls");
    const directory = join(home, "fetched", `${sha256(repository.url)}.git`);
    const { url } = repository;
    await inTurn(directory, () => fetchUrl(git, { url, directory, signal: AbortSignal.timeout(mostFetchMs) }));
    return openRepository(directory, { home, git });
  }
  const { commit } = request;
  if (commit === undefined)
    throw new Fault("usage", "a bundle comes with the commit to start from", { remedy: "add commit" });
  const file = join(home, "bundles", repository.bundle);
  if (!(await isThere(file))) throw notPut(repository.bundle);
  const directory = join(home, "bundled", `${repository.bundle}.git`);
  await inTurn(directory, () => unbundle(git, { file, directory, commit, signal: AbortSignal.timeout(mostFetchMs) }));
  return openRepository(directory, { home, git });
}

/** For a repository to arrive, or a bundle to be looked through. */
const mostFetchMs = 10 * 60_000;

const turns = new Map<string, Promise<unknown>>();

/** Two requests for one repository would stand in each other's locks; the second finds what the first brought. */
async function inTurn<T>(directory: string, work: () => Promise<T>): Promise<T> {
  const before = turns.get(directory) ?? Promise.resolve();
  const mine = before.then(work, work);
  turns.set(directory, mine);
  try {
    return await mine;
  } finally {
    if (turns.get(directory) === mine) turns.delete(directory);
  }
}

/** Compared as the file system resolves them, so that no link leads out; nothing is said of what is not below a root. */
async function allowedFolder(path: string, { isTrusted, roots }: RepositoryRules): Promise<string> {
  if (isTrusted) return path;
  const real = isAbsolute(path) ? await realpath(path).catch(() => undefined) : undefined;
  if (real !== undefined && (await isInRoots(real, roots))) return real;
  throw notAllowed("that folder", "server.roots");
}

/** The repository a folder is in may begin above every root, or keep its objects elsewhere. */
async function inRoots(repository: Repository, { isTrusted, roots }: RepositoryRules): Promise<Repository> {
  const { top, gitDir, commonDir } = repository.user;
  const places = isTrusted ? [] : [top, gitDir, commonDir];
  const areIn = await Promise.all(places.map((place) => isInRoots(place, roots)));
  if (areIn.every(Boolean)) return repository;
  await repository.close();
  throw notAllowed("that folder", "server.roots");
}

/** `real` has no link in it. */
async function isInRoots(real: string, roots: readonly string[]): Promise<boolean> {
  for (const root of roots) {
    const top = await realpath(root).catch(() => undefined);
    if (top !== undefined && isBelow(real, top)) return true;
  }
  return false;
}

function isBelow(path: string, top: string): boolean {
  const between = relative(top, path);
  return !isAbsolute(between) && between.split(/[\\/]/)[0] !== "..";
}

function notAllowed(what: string, setting: string): Fault {
  return new Fault("not_allowed", `this server may not use ${what} as a repository`, {
    remedy: `its operator allows more in ${setting} of sheaf.config.yaml; or send the commit as a bundle`,
  });
}

function notPut(hash: string): Fault {
  return new Fault("bundle", `there is no bundle ${hash.slice(0, 12)}… on this server`, {
    remedy: "put it to /v1/bundles/{sha256} first",
  });
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
