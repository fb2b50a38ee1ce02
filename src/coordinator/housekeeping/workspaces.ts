import { type WorkspaceOwner, workspaceOwners } from "../../db/find-owners.ts";
import { removeEntry } from "../../workspace/remove-folder.ts";
import { type Around, idleSince, uuidForm } from "./around.ts";
import type { Found, Garbage, Left } from "./garbage.ts";
import { bytesBelow, changedAt, type Entry, lookInto } from "./look-into.ts";
import { removeUnused } from "./remove-unused.ts";
import { salvage } from "./salvage.ts";

/**
 * Workspaces outlive their run only when its process was killed. What is in one is kept as a patch before it goes, and
 * where that cannot be done it stays. Those of a job that has not finished are never looked into.
 */
export async function findWorkspaces(around: Around): Promise<Found> {
  const { home, database } = around.equipment;
  const { entries, left } = await lookInto(home, "workspaces");
  const named = entries.flatMap((entry) => {
    const runId = entry.isFolder ? runOfWorkspace(entry.name) : undefined;
    if (runId === undefined) left.push(kept(entry, "no name of a workspace"));
    return runId === undefined ? [] : [{ entry, runId }];
  });
  const owners = await workspaceOwners(
    named.map(({ runId }) => runId),
    database,
  );
  const garbage: Garbage[] = [];
  for (const { entry, runId } of named) {
    const owner = owners.get(runId);
    if (!owner) left.push(kept(entry, "its job is not in this database"));
    else if (owner.isOver) garbage.push(await garbageOf(entry, owner, around));
  }
  return { garbage, left };
}

/** Undefined where it is no name of a workspace. */
export function runOfWorkspace(name: string): string | undefined {
  return form.exec(name)?.[1];
}

const form = new RegExp(`^(${uuidForm})-\\d+$`);

function kept({ path }: Entry, why: string): Left {
  return { what: "workspaces", name: path, why };
}

async function garbageOf(entry: Entry, owner: WorkspaceOwner, around: Around): Promise<Garbage> {
  return {
    what: "workspaces",
    name: `${owner.handle} ${owner.taskId ?? ""} ${entry.path}`,
    count: 1,
    bytes: await bytesBelow(entry.path),
    why: "their job is over; what no kept tree holds is salvaged first",
    remove: async () => {
      const saved = await salvage(entry, owner, around.equipment);
      if ("left" in saved) return saved;
      await removeEntry(Buffer.from(entry.path));
      return saved;
    },
  };
}

/** A command's checkout holds nothing that is not in a tree, and is told from one in use by its age alone. */
export async function findCheckouts(around: Around): Promise<Found> {
  const { entries, left } = await lookInto(around.equipment.home, "checkouts");
  const garbage: Garbage[] = [];
  const isUnused = async (path: string, now: Around) => (await changedAt(path)) < idleSince(now);
  for (const { name, path } of entries) {
    if (!checkoutForm.test(name)) left.push({ what: "checkouts", name: path, why: "no name of a checkout" });
    else if (await isUnused(path, around)) {
      garbage.push({
        what: "checkouts",
        name: path,
        count: 1,
        bytes: await bytesBelow(path),
        why: "older than every job at work",
        remove: removeUnused(path, (now) => isUnused(path, now), around),
      });
    }
  }
  return { garbage, left };
}

const checkoutForm = new RegExp(`^(?:search-|scan-)?${uuidForm}(?:[-.\\w]*)$`);
