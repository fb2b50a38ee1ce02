import { Fault } from "../protocol/failure.ts";
import type { Git } from "./git.ts";
import { isThere, makeBare } from "./make-bare.ts";

/**
 * A repository at an address that the operator allowed, as a bare repository of ours. Nothing but that protocol is
 * spoken, nobody is asked for a password, and an answer that points elsewhere is not followed.
 */
export async function fetchUrl(
  git: Git,
  { url, directory, signal }: { url: string; directory: string; signal?: AbortSignal | undefined },
): Promise<void> {
  if (!(await isThere(directory))) await makeBare(git, directory, { objectFormat: "sha1" }, async () => {});
  const env = { GIT_ALLOW_PROTOCOL: protocolOf(url) };
  const settings = ["http.followRedirects=false", "transfer.fsckObjects=true", "credential.helper="].flatMap(
    (setting) => ["-c", setting],
  );
  const refs = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
  const fetch = ["fetch", "--quiet", "--prune", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"];
  const end = { env, timeoutMs, ...(signal ? { signal } : {}) };
  const { code, stderr } = await git([...settings, ...fetch, "--", url, ...refs], {
    gitDir: directory,
    accept: [0, 1, 128],
    ...end,
  });
  if (code !== 0) throw unreachable(url, stderr);
  await followHead(git, { url, directory, settings, end });
}

/** A large history over a slow line; whoever waits for it can cancel before. */
const timeoutMs = 6 * 3_600_000;

/** HEAD names what the other side's HEAD names. */
async function followHead(
  git: Git,
  at: {
    url: string;
    directory: string;
    settings: readonly string[];
    end: { env: Record<string, string>; timeoutMs: number; signal?: AbortSignal };
  },
): Promise<void> {
  const wanted = [...at.settings, "ls-remote", "--symref", "--", at.url, "HEAD"];
  const { stdout } = await git(wanted, { gitDir: at.directory, accept: [0, 1, 128], ...at.end });
  const branch = /^ref: (refs\/heads\/\S+)\tHEAD$/m.exec(stdout.toString())?.[1];
  if (branch) await git(["symbolic-ref", "HEAD", branch], { gitDir: at.directory, ...at.end });
}

/** `git@host:path` is ssh. */
function protocolOf(url: string): string {
  return /^([a-z]+):\/\//i.exec(url)?.[1]?.toLowerCase() ?? "ssh";
}

function unreachable(url: string, stderr: string): Fault {
  const shown = url.replace(/^([a-z]+:\/\/)[^/@]*@/i, "$1");
  const why = stderr.trim().replaceAll(url, shown).slice(0, 500);
  return new Fault("provider_unavailable", `${shown} cannot be fetched: ${why}`, {
    remedy: "check the address, and that the server may read it without being asked for a password",
  });
}
