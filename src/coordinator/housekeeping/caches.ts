import { join } from "node:path";
import { repositoriesOfJobs } from "../../db/find-owners.ts";
import { networkFolder, pipeFolder } from "../../sandbox/end-leftovers.ts";
import { isOfElsewhere, isOfTheDead } from "../../sandbox/process-life.ts";
import { type Around, idleSince, uuidForm } from "./around.ts";
import type { Found, Garbage } from "./garbage.ts";
import { isThere } from "./is-there.ts";
import { bytesBelow, changedAt, type Entry, lookInto } from "./look-into.ts";
import { removeUnused } from "./remove-unused.ts";
import { ownRepositories } from "./repositories.ts";

/** What can be made, fetched or sent again, and was not asked for lately. */
const dayMs = 86_400_000;
/** As a setup itself removes what was not used for so long. */
const setupMs = 7 * dayMs;

export async function findSetups(around: Around): Promise<Found> {
  const { entries, left } = await lookInto(around.equipment.home, "setups");
  const garbage: Garbage[] = [];
  for (const entry of entries) {
    const kind = setupKind(entry.name);
    if (!kind) left.push({ what: "setups", name: entry.path, why: "no name of what a setup prepared" });
    else if (await kind.isUnused(entry, around)) garbage.push(await gone(entry, kind, around));
  }
  return { garbage, left };
}

/** What may go, why, and when: asked as it is found, and again before it goes. */
interface Kind {
  what: string;
  why: string;
  isUnused: (entry: Entry, around: Around) => Promise<boolean>;
}

function setupKind(name: string): Kind | undefined {
  if (draftForm.test(name)) return draft;
  return /^[0-9a-f]{64}$/.test(name) ? prepared : undefined;
}

const draft: Kind = {
  what: "drafts",
  why: "half-made, of a process that is gone",
  isUnused: async ({ path }, around) => (await changedAt(path)) < idleSince(around),
};

const prepared: Kind = {
  what: "setups",
  why: "prepared, and not used for a week",
  isUnused: async (entry, around) => (await usedAt(entry)) < Math.min(idleSince(around), around.now - setupMs),
};

const draftForm = new RegExp(`^\\.draft-${uuidForm}$`);

/** Being asked for sets the time of that file (workspace/prepared-files.ts). */
async function usedAt({ path }: Entry): Promise<number> {
  const { entries } = await lookInto(path, ".");
  return entries.find(({ name }) => name === "paths.json")?.changedAt ?? changedAt(path);
}

/** Repositories that were fetched, or came as bundles, and that no job is left of. */
export async function findSources(around: Around): Promise<Found> {
  const needed = await neededSources(around);
  const all = await Promise.all(["fetched", "bundled"].map((folder) => findBrought(folder, needed, around)));
  return { garbage: all.flatMap(({ garbage }) => garbage), left: all.flatMap(({ left }) => left) };
}

type IsNeeded = (name: string) => Promise<boolean>;

async function neededSources(around: Around): Promise<IsNeeded> {
  const isAsked = await askedSources(around);
  const { repositories } = await ownRepositories(around);
  return async (name) =>
    repositories.some(({ source, refsOf }) => refsOf.size > 0 && source?.endsWith(`/${name}/objects`)) ||
    (await isAsked(name));
}

/** Of jobs that are there, and what such a job may be made of: all that can come to need one. */
async function askedSources({ equipment: { home, database } }: Around): Promise<IsNeeded> {
  const inUse = new Set((await repositoriesOfJobs(database)).map((path) => path.split("/").at(-1)));
  return async (name) => inUse.has(name) || (await isThere(join(home, "bundles", name.slice(0, 64))));
}

async function findBrought(folder: string, isNeeded: IsNeeded, around: Around): Promise<Found> {
  const { entries, left } = await lookInto(around.equipment.home, folder);
  const garbage: Garbage[] = [];
  const kind: Kind = {
    what: folder,
    why: "no job is left of them",
    isUnused: async (entry, now) => (await isOld(entry, now)) && !(await (await askedSources(now))(entry.name)),
  };
  for (const entry of entries) {
    const isOurs = entry.isFolder && /^[0-9a-f]{64}\.git$/.test(entry.name);
    if (!isOurs) left.push({ what: folder, name: entry.path, why: "no name of a repository that was brought" });
    else if (!(await isNeeded(entry.name)) && (await isOld(entry, around))) {
      garbage.push(await gone(entry, kind, around));
    }
  }
  return { garbage, left };
}

async function isOld(entry: Entry, around: Around): Promise<boolean> {
  return (await newestIn(entry)) < Math.min(idleSince(around), around.now - dayMs);
}

/** A fetch writes at the top of the repository. */
async function newestIn({ path }: Entry): Promise<number> {
  const { entries } = await lookInto(path, ".");
  return Math.max(await changedAt(path), ...entries.map((entry) => entry.changedAt));
}

export async function findBundles(around: Around): Promise<Found> {
  const { entries, left } = await lookInto(around.equipment.home, "bundles");
  const garbage: Garbage[] = [];
  for (const entry of entries) {
    const isOurs = entry.isFile && bundleForm.test(entry.name);
    if (!isOurs) left.push({ what: "bundles", name: entry.path, why: "no name of a bundle" });
    else if (await sent.isUnused(entry, around)) garbage.push(await gone(entry, sent, around));
  }
  return { garbage, left };
}

const sent: Kind = {
  what: "bundles",
  why: "sent more than a day ago",
  isUnused: async ({ path }, { now }) => (await changedAt(path)) < now - dayMs,
};

const bundleForm = new RegExp(`^(?:[0-9a-f]{64}|\\.${uuidForm})$`);

/**
 * Sockets and pipes of commands whose process is gone: their names say which it was, and since when it lived. One that
 * nobody can look at from here, on another machine or before this start of it, is told by its age.
 */
export async function findSockets(around: Around): Promise<Found> {
  const garbage: Garbage[] = [];
  for (const folder of [networkFolder, pipeFolder]) {
    const { entries } = await lookInto(folder(around.equipment.home), ".");
    for (const entry of entries) {
      if (await socket.isUnused(entry, around)) garbage.push(await gone(entry, socket, around));
    }
  }
  return { garbage, left: [] };
}

const socket: Kind = {
  what: "sockets",
  why: "of commands whose process is gone",
  isUnused: async ({ name, path }, around) =>
    isOfTheDead(name) || (isOfElsewhere(name) && (await changedAt(path)) < idleSince(around)),
};

async function gone(entry: Entry, { what, why, isUnused }: Kind, around: Around): Promise<Garbage> {
  const remove = removeUnused(entry.path, (now) => isUnused(entry, now), around);
  return { what, name: entry.path, count: 1, bytes: await bytesBelow(entry.path), why, remove };
}
