import { realpath } from "node:fs/promises";
import { isAbsolute, relative } from "node:path";
import type { Setup } from "../../protocol/job.ts";
import type { Step } from "../../protocol/step.ts";
import type { Equipment } from "../equipment.ts";
import type { Job } from "../job.ts";
import { stepsOf } from "../tasks/steps-of.ts";
import { manifestsOf, setupKey } from "./setup-key.ts";

/**
 * Which tree a setup runs in. It runs whatever that tree holds, so the tree of an agent is used only where nothing else
 * will do, never with a secret, and what comes of it serves that very tree alone. A tree with the manifests of one that
 * is older than the agent's work shares what was made of that.
 */
export interface SetupSource {
  key: string;
  tree: string;
  /** As the source may have it: without secrets where an agent had a hand in it. */
  setup: Setup;
  isBase: boolean;
}

interface Origins {
  /** Made by the job's author alone: the base, and what commands and recipes of the job made of such a tree. */
  own: Set<string>;
  /** What the task began with in which a tree was made. */
  starts: Map<string, string>;
  manifests: Map<string, Promise<string>>;
}

/** Of the jobs of this process: a job does not outlive it. */
const ofJobs = new WeakMap<Job, Origins>();

function originsOf(job: Job): Origins {
  const known = ofJobs.get(job) ?? { own: new Set([job.spec.base.tree]), starts: new Map(), manifests: new Map() };
  ofJobs.set(job, known);
  return known;
}

/** A step made a tree. */
export function followStep(
  job: Job,
  { before, after, start, step }: { before: string; after: string; start: string; step: Step | undefined },
): void {
  if (job.spec.setup === undefined || after === before) return;
  const { own, starts } = originsOf(job);
  if (step && isOfAuthor(step) && own.has(before)) own.add(after);
  if (!starts.has(after)) starts.set(after, start);
}

/** Does what the job file says word for word: a command, or a recipe. */
function isOfAuthor(step: Step): boolean {
  return step.kind === "command" || step.agent.model.provider === "recipe";
}

/** The user's own repository has moved on to this tree. */
export function followBase(job: Job, tree: string): void {
  originsOf(job).own.add(tree);
}

export async function sourceOf(
  setup: Setup,
  tree: string,
  { job, equipment }: { job: Job; equipment: Equipment },
): Promise<SetupSource> {
  const origins = originsOf(job);
  const source = await oldestAlike(tree, job);
  const isOwn = origins.own.has(source) || stepsOf(job.spec).every(isOfAuthor);
  const allowed = isOwn ? setup : { ...setup, secrets: [] };
  const isBase = source === job.spec.base.tree;
  const isShared = isBase && (await isOfUser(job, equipment));
  const { commonDir } = job.repository.user;
  // A later commit may have another script for it, and the same dependencies.
  const madeOf = isShared ? manifestsOf(await entriesOf(source, job), setup.run) : source;
  return { key: setupKey(allowed, commonDir, madeOf), tree: source, setup: allowed, isBase };
}

/** Of the trees that no agent of this task has touched, one with the same manifests; else the tree itself. */
async function oldestAlike(tree: string, job: Job): Promise<string> {
  const { own, starts } = originsOf(job);
  const wanted = await manifestsIn(tree, job);
  const start = starts.get(tree);
  for (const other of [...own, ...(start === undefined ? [] : [start])]) {
    if ((await manifestsIn(other, job)) === wanted) return other;
  }
  return tree;
}

function manifestsIn(tree: string, job: Job): Promise<string> {
  const { manifests } = originsOf(job);
  const known = manifests.get(tree) ?? entriesOf(tree, job).then((entries) => manifestsOf(entries));
  manifests.set(tree, known);
  return known;
}

async function entriesOf(tree: string, { repository }: Job) {
  return (await repository.listings.get(tree)).entries.values();
}

/** In what callers and strangers send or serve, one commit may be another's trap. */
async function isOfUser({ repository }: Job, { home }: Equipment): Promise<boolean> {
  const tops = [home, await realpath(home)];
  return tops.every((top) => {
    const between = relative(top, repository.user.commonDir);
    return isAbsolute(between) || between.split(/[\\/]/)[0] === "..";
  });
}
