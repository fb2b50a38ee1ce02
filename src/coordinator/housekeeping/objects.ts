import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { toFailure } from "../../protocol/failure.ts";
import type { Around } from "./around.ts";
import type { Found, Garbage } from "./garbage.ts";

/**
 * Objects of our own repository that nothing refers to, and many loose ones that should be packed. Only of a repository
 * that no job at work has refs in, and only what nobody has written for two weeks: git marks an object that is written
 * again as new, so a job that begins meanwhile keeps what it finds.
 */
export async function findObjects(gitDir: string, around: Around): Promise<Found> {
  const { git } = around.equipment;
  const expiry = new Date(around.now - keptMs).toISOString();
  const clean = async () => {
    // What a pack holds and nothing refers to is dropped with the rest, as old as the pack is.
    await git(["pack-refs", "--all"], { gitDir });
    await git([...modest, "repack", "-A", "-d", "-l", "-q", `--unpack-unreachable=${expiry}`], { gitDir });
    await git(["prune", `--expire=${expiry}`], { gitDir });
    return {};
  };
  try {
    const { stdout } = await git(["prune", "--dry-run", `--expire=${expiry}`], { gitDir });
    const unused = stdout.toString().split("\n").filter(Boolean);
    const garbage: Garbage[] = [];
    if (unused.length > 0)
      garbage.push({ ...what.unused, name: gitDir, ...(await sizeOf(gitDir, unused)), remove: clean });
    else if (around.lostRefs.has(gitDir) || (await looseIn(gitDir, git)) > mostLoose) {
      garbage.push({ ...what.loose, name: gitDir, count: 1, bytes: 0, remove: clean });
    }
    return { garbage, left: [] };
  } catch (thrown) {
    // Such as objects of the user's that are gone: what is needed cannot be told from what is not.
    return { garbage: [], left: [{ what: "objects", name: gitDir, why: toFailure(thrown).message }] };
  }
}

const keptMs = 14 * 86_400_000;
const mostLoose = 5_000;
const modest = ["-c", "pack.windowMemory=256m", "-c", "pack.threads=1"];
const what = {
  unused: { what: "objects", why: "nothing refers to them, for two weeks at least" },
  loose: { what: "packing", why: "of repositories with many loose objects, or with refs that went" },
};

async function sizeOf(gitDir: string, lines: readonly string[]): Promise<{ count: number; bytes: number }> {
  let bytes = 0;
  for (const line of lines) {
    const oid = line.split(" ", 1)[0] ?? "";
    const stats = await lstat(join(gitDir, "objects", oid.slice(0, 2), oid.slice(2))).catch(() => undefined);
    bytes += stats ? (stats.blocks ?? 0) * 512 || stats.size : 0;
  }
  return { count: lines.length, bytes };
}

async function looseIn(gitDir: string, git: Around["equipment"]["git"]): Promise<number> {
  const { stdout } = await git(["count-objects"], { gitDir });
  return Number.parseInt(stdout.toString(), 10);
}
