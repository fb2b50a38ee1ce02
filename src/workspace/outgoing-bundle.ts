import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { type Repository, withScratch } from "./repository.ts";

/** One commit with its whole history as a git bundle, for a server that cannot fetch it. */
export interface OutgoingBundle {
  file: string;
  /** Of the bundle's bytes, as hex: its name on the server. */
  sha256: string;
}

/** The file is there while `send` runs. Throws Fault `git` or `storage_full`. */
export async function withBundle<T>(
  repository: Repository,
  commit: string,
  send: (bundle: OutgoingBundle) => Promise<T>,
): Promise<T> {
  return withScratch(repository, async (folder) => {
    const file = join(folder, "bundle");
    const { git, gitDir } = repository;
    // A bundle is made of refs; this one is in no repository of the user's.
    const ref = `refs/sheaf/outgoing/${commit}`;
    await git(["update-ref", ref, commit], { gitDir });
    await git(["bundle", "create", "--quiet", file, ref], { gitDir });
    return send({ file, sha256: await sha256Of(file) });
  });
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest("hex");
}
