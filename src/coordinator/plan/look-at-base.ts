import { compilePattern } from "../../permission/pattern.ts";
import { protectedAs } from "../../permission/protected-path.ts";
import { type Subject, subjectOf } from "../../permission/subject.ts";
import type { CommandCheck } from "../../protocol/check.ts";
import { Fault } from "../../protocol/failure.ts";
import type { JobSpec } from "../../protocol/job.ts";
import type { Finding } from "../../protocol/part.ts";
import type { ScanQuery, ScanReport } from "../../protocol/scan.ts";
import type { Matcher } from "../../protocol/split.ts";
import type { Step } from "../../protocol/step.ts";
import type { Unsplit } from "../../protocol/task.ts";
import { codeownersPaths } from "../../split/by-owner.ts";
import { isManifest } from "../../split/packages.ts";
import type { SplitView } from "../../split/split-view.ts";
import { toShown, toText } from "../../workspace/raw-path.ts";
import type { Repository } from "../../workspace/repository.ts";
import type { Listing } from "../../workspace/tree-listing.ts";
import { pathCover } from "../tasks/path-cover.ts";
import { readBaseTexts } from "./read-base-texts.ts";

/** Gathers what a split has to know of the base, and nothing that this split does not ask for. */
export interface BaseQuestions {
  threads: number;
  scan(order: { tree: string; query: ScanQuery; covers(path: string): boolean }): Promise<ScanReport>;
  /** Absent where nothing may be started: a split by findings is refused then. */
  findings?(check: CommandCheck): Promise<readonly Finding[]>;
}

export async function lookAtBase(spec: JobSpec, repository: Repository, questions: BaseQuestions): Promise<SplitView> {
  const listing = await repository.listings.get(spec.base.tree);
  const { isCaseInsensitive } = repository;
  const covers = await coverageOf([
    ...spec.before,
    ...spec.each,
    ...spec.after,
    ...spec.tasks.flatMap((task) => task.steps),
  ]);
  const steps = [...spec.each, ...spec.tasks.flatMap((task) => task.steps)];
  // Whoever will do what a planner plans may be given any file.
  const isAnyones = spec.split.by === "planner";
  const isMeant = pathCover(spec.only && [spec.only], repository);
  const { files, left } = sortOut(listing);
  const isWanted = (path: string) => isMeant(path) && (isAnyones || covers(steps, path));
  const unsplit = left.filter(({ path }) => isWanted(path));
  const view: SplitView = {
    files,
    unsplit,
    threads: questions.threads,
    covers,
    matches: matching(repository),
    isCaseInsensitive,
  };
  if (spec.tasks.length > 0) return view;
  const wanted = files.filter((path) => isMeant(path) && (isAnyones || covers(spec.each, path)));
  const chosen = spec.split.match ? await choose(spec.split.match, wanted, { spec, repository, questions }) : undefined;
  return {
    ...view,
    ...(chosen ? { isChosen: (path) => chosen.paths.has(path), unsplit: [...unsplit, ...chosen.unsplit] } : {}),
    ...(await asked(spec, repository, questions)),
  };
}

interface SortedOut {
  /** What an agent can be given. Links and submodules are left alone. */
  files: string[];
  /** What it cannot be given. */
  left: Unsplit[];
}

const sorted = new WeakMap<Listing, SortedOut>();

/** Once for each listing: what is known of its list of files is kept with that list. */
function sortOut(listing: Listing): SortedOut {
  const known = sorted.get(listing);
  if (known) return known;
  const out: SortedOut = { files: [], left: [] };
  for (const { path: raw, mode } of listing.entries.values()) {
    if (!mode.startsWith("100")) continue;
    const path = toText(raw);
    const kind = path === undefined ? undefined : protectedAs(path);
    if (path !== undefined && kind === undefined) out.files.push(path);
    else out.left.push({ path: path ?? toShown(raw), reason: reasonOf(kind) });
  }
  sorted.set(listing, out);
  return out;
}

/** Paths that are kept ready to be compared: a plan compares all of them with each of its globs. */
const mostReady = 50_000;

function matching(facts: Pick<Repository, "isCaseInsensitive">): SplitView["matches"] {
  const { isCaseInsensitive } = facts;
  const ready = new Map<string, Subject>();
  return (pattern, path) => {
    const subject = ready.get(path) ?? subjectOf(path, { isCaseInsensitive });
    if (ready.size < mostReady) ready.set(path, subject);
    return compilePattern(pattern, isCaseInsensitive).covers(subject);
  };
}

function reasonOf(protectedKind: string | undefined): string {
  if (protectedKind === undefined) return "its name is not UTF-8: it stays as it is";
  return `${protectedKind} is protected: name the path itself in permissions.allow to include it`;
}

interface Around {
  spec: JobSpec;
  repository: Repository;
  questions: BaseQuestions;
}

/** Paths first, then texts; what cannot be searched for text is told, since it may have been meant. */
async function choose(
  { glob, regex, pattern, language }: Matcher,
  wanted: readonly string[],
  { spec, repository, questions }: Around,
): Promise<{ paths: ReadonlySet<string>; unsplit: Unsplit[] }> {
  const isNamed = pathCover(glob === undefined ? undefined : [{ glob }], repository);
  const named = new Set(wanted.filter(isNamed));
  if (regex === undefined && pattern === undefined) return { paths: named, unsplit: [] };
  const query: ScanQuery = {
    ...(regex === undefined ? {} : { regex }),
    ...(pattern === undefined ? {} : { pattern }),
    ...(language === undefined ? {} : { language, takes_unnamed: glob !== undefined }),
    places: 0,
  };
  const report = await questions.scan({ tree: spec.base.tree, query, covers: (path) => named.has(path) });
  if (report.mistake) {
    const { message, remedy } = report.mistake;
    throw new Fault("job_file", `split.match: ${message}`, remedy === undefined ? {} : { remedy });
  }
  const unread = report.skipped.filter((one) => !one.is_binary);
  return {
    paths: new Set(report.found.map((one) => one.path)),
    unsplit: unread.map(({ path, reason }) => ({ path, reason: `it was not searched: ${reason}` })),
  };
}

type Asked = Pick<SplitView, "manifests" | "codeowners" | "findings">;

async function asked(spec: JobSpec, repository: Repository, questions: BaseQuestions): Promise<Asked> {
  const { split, base } = spec;
  switch (split.by) {
    case "workspace":
      return { manifests: await readBaseTexts(repository, base.tree, isManifest) };
    case "owner": {
      const texts = await readBaseTexts(repository, base.tree, (path) => codeownersPaths.some((one) => one === path));
      const path = codeownersPaths.find((one) => texts.has(one));
      return path === undefined ? {} : { codeowners: { path, text: texts.get(path) ?? "" } };
    }
    case "findings": {
      const check = spec.checks.find((one) => one.name === split.of);
      if (check?.kind !== "command")
        throw new Fault("job_file", `split.of: there is no check ${JSON.stringify(split.of)}`);
      if (!questions.findings) throw nothingStarted(split.of);
      return { findings: await questions.findings(check) };
    }
    default:
      return {};
  }
}

function nothingStarted(of: string): Fault {
  return new Fault(
    "usage",
    `this split is made of what the check ${JSON.stringify(of)} finds, and nothing is started to show a plan`,
    {
      remedy: "run the job with --sample 1 to see what a small part of it comes to",
    },
  );
}

/** Recipes are asked which files they have a grammar for; other agents may be given any file. */
async function coverageOf(steps: readonly Step[]): Promise<SplitView["covers"]> {
  const covering = new Map<Step, (path: string) => boolean>();
  for (const step of steps) {
    if (step.kind !== "agent" || step.agent.model.provider !== "recipe") continue;
    const { model } = step.agent;
    const { compileRecipe } = await import("../../rewrite/engine.ts");
    const recipe = await compileRecipe(model.recipe);
    covering.set(step, (path) => recipe.covers(path));
  }
  return (asked, path) => asked.some((step) => covering.get(step)?.(path) ?? true);
}
