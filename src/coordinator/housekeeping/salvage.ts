import { lstat, mkdir, readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { WorkspaceOwner } from "../../db/find-owners.ts";
import { toFailure } from "../../protocol/failure.ts";
import { createSecretFinder } from "../../telemetry/redact.ts";
import { changesOf, patchOf } from "../../workspace/diff.ts";
import { toShown } from "../../workspace/raw-path.ts";
import { openRepository, type Repository, withScratch } from "../../workspace/repository.ts";
import type { Equipment } from "../equipment.ts";
import type { Removed } from "./garbage.ts";
import { type Leftover, readLeftover } from "./leftover.ts";
import { type LeftTree, treeOfLeftover } from "./leftover-tree.ts";
import type { Entry } from "./look-into.ts";

/**
 * Keeps what a workspace holds and nothing else does, as a patch below `salvage/`, before the workspace goes. It makes no
 * object in any repository that stays: what an agent left half-done may hold anything. A file that is not there counts as
 * deleted only where the run's log says so, since a workspace has only some of its base's files.
 */
export async function salvage(
  workspace: Entry,
  owner: WorkspaceOwner,
  equipment: Pick<Equipment, "ceiling" | "database" | "git" | "home">,
): Promise<Removed> {
  try {
    if (await isEmpty(join(workspace.path, "files"))) return {};
    const leftover = await readLeftover(owner, equipment.database);
    const repository = await openRepository(owner.repository, equipment);
    try {
      const isSecret = createSecretFinder(Object.values(equipment.ceiling.secrets));
      const kept = await withScratch(repository, (scratch) =>
        patchIn(workspace, leftover, { repository, scratch, isSecret }),
      );
      return kept ? { salvaged: await keepPatch(kept, workspace, { owner, leftover, ...equipment }) } : {};
    } finally {
      await repository.close();
    }
  } catch (thrown) {
    return { left: `what it holds could not be salvaged: ${toFailure(thrown).message}` };
  }
}

async function isEmpty(folder: string): Promise<boolean> {
  const stats = await lstat(folder).catch(() => undefined);
  return !stats?.isDirectory() || (await readdir(folder)).length === 0;
}

interface Ground {
  repository: Repository;
  scratch: string;
  isSecret: ReturnType<typeof createSecretFinder>;
}

interface Patch {
  patch: Buffer;
  withheld: LeftTree["withheld"];
}

/** undefined where a kept tree has all of it, or nothing is changed. */
async function patchIn({ path }: Entry, leftover: Leftover, ground: Ground): Promise<Patch | undefined> {
  const made = await treeOfLeftover(join(path, "files"), leftover, ground);
  const { withheld } = made;
  if ((await isKept(made, leftover)) && withheld.length === 0) return undefined;
  return { patch: await patchOf(made.repository, leftover.baseTree, made.tree), withheld };
}

async function isKept({ repository, tree }: LeftTree, { baseTree, keptTree }: Leftover): Promise<boolean> {
  if (tree === baseTree || tree === keptTree) return true;
  if (keptTree === undefined) return false;
  const kept = new Set((await changesOf(repository, baseTree, keptTree)).map(textOf));
  return (await changesOf(repository, baseTree, tree)).every((change) => kept.has(textOf(change)));
}

function textOf({ path, after }: Awaited<ReturnType<typeof changesOf>>[number]): string {
  return `${after?.mode ?? ""} ${after?.oid ?? ""} ${path}`;
}

async function keepPatch(
  { patch, withheld }: Patch,
  workspace: Entry,
  { owner, leftover, home }: { owner: WorkspaceOwner; leftover: Leftover; home: string },
): Promise<string> {
  const folder = join(home, "salvage", owner.handle);
  const file = join(folder, `${workspace.name}.patch`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const head = [
    `Left in the workspace of run ${owner.runId} (job ${owner.handle}, task ${owner.taskId ?? "-"}), and in no kept tree.`,
    `Base tree ${leftover.baseTree} of ${owner.repository}. What commands deleted is not told.`,
    ...withheld.map((path) => `Left out, since it holds a secret that the operator keeps: ${toShown(path)}`),
  ].map((line) => `# ${line.replaceAll("\n", " ")}\n`);
  await writeFile(`${file}.new`, Buffer.concat([Buffer.from(`${head.join("")}\n`), patch]), {
    mode: 0o600,
    flush: true,
  });
  await rename(`${file}.new`, file);
  return file;
}
