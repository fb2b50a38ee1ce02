import { join } from "node:path";
import { repositoriesOfJobs } from "../../db/find-owners.ts";
import { networkFolder, pipeFolder } from "../../sandbox/end-leftovers.ts";
import { isOfTheDead } from "../../sandbox/process-life.ts";
import { removeEntry } from "../../workspace/remove-folder.ts";
import { type Around, idleSince, uuidForm } from "./around.ts";
import type { Found, Garbage } from "./garbage.ts";
import { isThere } from "./is-there.ts";
import { bytesBelow, type Entry, lookInto } from "./look-into.ts";
import { ownRepositories } from "./repositories.ts";

/** What can be made, fetched or sent again, and was not asked for lately. */
const dayMs = 86_400_000;
/** As a setup itself removes what was not used for so long. */
const setupMs = 7 * dayMs;

export async function findSetups(around: Around): Promise<Found> {
  const { entries, left } = await lookInto(around.equipment.home, "setups");
  const garbage: Garbage[] = [];
  for (const entry of entries) {
    if (draftForm.test(entry.name)) {
      if (entry.changedAt < idleSince(around))
        garbage.push(await gone("drafts", entry, "half-made, of a process that is gone"));
    } else if (!/^[0-9a-f]{64}$/.test(entry.name)) {
      left.push({ what: "setups", name: entry.path, why: "no name of what a setup prepared" });
    } else if ((await usedAt(entry)) < Math.min(idleSince(around), around.now - setupMs)) {
      garbage.push(await gone("setups", entry, "prepared, and not used for a week"));
    }
  }
  return { garbage, left };
}

const draftForm = new RegExp(`^\\.draft-${uuidForm}$`);

/** Being asked for sets the time of that file (workspace/prepared-files.ts). */
async function usedAt({ path, changedAt }: Entry): Promise<number> {
  const { entries } = await lookInto(path, ".");
  return entries.find(({ name }) => name === "paths.json")?.changedAt ?? changedAt;
}

/** Repositories that were fetched, or came as bundles, and that no job is left of. */
export async function findSources(around: Around): Promise<Found> {
  const { home, database } = around.equipment;
  const inUse = new Set((await repositoriesOfJobs(database)).map((path) => path.split("/").at(-1)));
  const { repositories } = await ownRepositories(around);
  const isNeeded = async (name: string) =>
    inUse.has(name) ||
    repositories.some(({ source, refsOf }) => refsOf.size > 0 && source?.endsWith(`/${name}/objects`)) ||
    (await isThere(join(home, "bundles", name.slice(0, 64))));
  const all = await Promise.all(["fetched", "bundled"].map((folder) => findBrought(folder, isNeeded, around)));
  return { garbage: all.flatMap(({ garbage }) => garbage), left: all.flatMap(({ left }) => left) };
}

async function findBrought(
  folder: string,
  isNeeded: (name: string) => Promise<boolean>,
  around: Around,
): Promise<Found> {
  const { entries, left } = await lookInto(around.equipment.home, folder);
  const garbage: Garbage[] = [];
  const since = Math.min(idleSince(around), around.now - dayMs);
  for (const entry of entries) {
    const isOurs = entry.isFolder && /^[0-9a-f]{64}\.git$/.test(entry.name);
    if (!isOurs) left.push({ what: folder, name: entry.path, why: "no name of a repository that was brought" });
    else if (!(await isNeeded(entry.name)) && (await newestIn(entry)) < since) {
      garbage.push(await gone(folder, entry, "no job is left of them"));
    }
  }
  return { garbage, left };
}

/** A fetch writes at the top of the repository. */
async function newestIn({ path, changedAt }: Entry): Promise<number> {
  const { entries } = await lookInto(path, ".");
  return Math.max(changedAt, ...entries.map((entry) => entry.changedAt));
}

export async function findBundles(around: Around): Promise<Found> {
  const { entries, left } = await lookInto(around.equipment.home, "bundles");
  const garbage: Garbage[] = [];
  for (const entry of entries) {
    const isOurs = entry.isFile && bundleForm.test(entry.name);
    if (!isOurs) left.push({ what: "bundles", name: entry.path, why: "no name of a bundle" });
    else if (entry.changedAt < around.now - dayMs)
      garbage.push(await gone("bundles", entry, "sent more than a day ago"));
  }
  return { garbage, left };
}

const bundleForm = new RegExp(`^(?:[0-9a-f]{64}|\\.${uuidForm})$`);

/** Sockets and pipes of commands whose process is gone: their names say which it was, and since when it lived. */
export async function findSockets(around: Around): Promise<Found> {
  const garbage: Garbage[] = [];
  for (const folder of [networkFolder, pipeFolder]) {
    const { entries } = await lookInto(folder(around.equipment.home), ".");
    for (const entry of entries.filter(({ name }) => isOfTheDead(name))) {
      garbage.push(await gone("sockets", entry, "of commands whose process is gone"));
    }
  }
  return { garbage, left: [] };
}

async function gone(what: string, { path }: Entry, why: string): Promise<Garbage> {
  const remove = async () => {
    await removeEntry(Buffer.from(path));
    return {};
  };
  return { what, name: path, count: 1, bytes: await bytesBelow(path), why, remove };
}
