import { quoted } from "../document/found.ts";
import { nearest } from "../document/nearest.ts";
import type { Check } from "../protocol/check.ts";
import { Fault } from "../protocol/failure.ts";
import { isPlanned } from "../protocol/job-file-parts.ts";
import type { WrittenSplit } from "../protocol/job-file-split.ts";
import { languageByName } from "../protocol/language.ts";
import type { Matcher, Split } from "../protocol/split.ts";
import type { Step } from "../protocol/step.ts";
import { regex, repositoryPath } from "../protocol/written-text.ts";
import { patternAt, resolvePaths } from "./resolve-pattern.ts";
import type { Resolving } from "./resolving.ts";

/** How `each` is spread over tasks. `each` is undefined in a job of named tasks, which has nothing to split. */
export async function resolveSplit(
  { each, checks }: { each: readonly Step[] | undefined; checks: readonly Check[] },
  resolving: Resolving,
): Promise<Split> {
  const written = resolving.file.split;
  if (isPlanned(resolving.file)) return planned(written, resolving);
  if (each === undefined) return { by: "none" };
  if (written === undefined) return { by: each.some(isAboutProgram) ? "none" : "files" };
  if (typeof written === "string") return { by: written };
  return mapped(written, checks, resolving);
}

async function planned(written: WrittenSplit | undefined, resolving: Resolving): Promise<Split> {
  const { tasks, match } = typeof written === "object" ? written : {};
  const matching = match === undefined ? {} : { match: await matcherOf(match, resolving) };
  return { by: "planner", ...(tasks === undefined ? {} : { tasks }), ...matching };
}

/** The language service answers for a whole program: cut into parts it would do the same work in each. */
function isAboutProgram(step: Step): boolean {
  if (step.kind !== "agent" || step.agent.model.provider !== "recipe") return false;
  const { name } = step.agent.model.recipe;
  return name === "rename-symbol" || name === "move-file";
}

type Mapping = Exclude<WrittenSplit, string>;

async function mapped(written: Mapping, checks: readonly Check[], resolving: Resolving): Promise<Split> {
  const { by = "match", files, tasks } = written;
  const match = written.match === undefined ? undefined : await matcherOf(written.match, resolving);
  const matching = match ? { match } : {};
  const cut = { ...(files ? { files } : {}), ...(tasks ? { tasks } : {}), ...matching };
  switch (by) {
    case "none":
      return { by, ...matching };
    case "match":
      return { by, ...cut, match: match ?? {} };
    case "list":
      return { by, items: await itemsOf(written, resolving), ...cut };
    case "findings":
      return { by, of: checkNamed(written.of ?? "", checks, resolving), ...cut };
    default:
      return { by, ...cut };
  }
}

/** Checked as patterns here, handed on as texts: an item that is a file or directory is not read as a glob. */
async function itemsOf({ items = [] }: Mapping, resolving: Resolving): Promise<string[]> {
  const path = ["split", "items"];
  await resolvePaths(items, path, resolving);
  return items.map((item, index) => resolving.filler.whole(item, [...path, index]));
}

async function matcherOf(written: NonNullable<Mapping["match"]>, resolving: Resolving): Promise<Matcher> {
  const { filler, place } = resolving;
  if (typeof written === "string") return { regex: filler.whole(written, ["split", "match"], regex) };
  const path = (key: string) => ["split", "match", key];
  const matcher: Matcher = {};
  if (written.glob !== undefined) {
    matcher.glob = filler.whole(written.glob, path("glob"), repositoryPath);
    patternAt(matcher.glob, place(path("glob")));
  }
  if (written.regex !== undefined) matcher.regex = filler.whole(written.regex, path("regex"), regex);
  if (written.pattern === undefined) return matcher;
  matcher.pattern = filler.whole(written.pattern, path("pattern"));
  const language = written.language && languageByName[written.language];
  if (language) matcher.language = language;
  await resolving.compile(
    { name: "replace-call", pattern: matcher.pattern, fix: "", ...(language ? { language } : {}) },
    place(path("pattern")),
  );
  return matcher;
}

/** Only the reports of linters say where in which file something is wrong. */
const withFindings: readonly string[] = ["sarif", "eslint"];

function checkNamed(name: string, checks: readonly Check[], { place }: Resolving): string {
  const at = place(["split", "of"]);
  const check = checks.find((one) => one.name === name);
  if (!check) {
    const meant = nearest(
      name,
      checks.map((one) => one.name),
    );
    const known =
      checks.length > 0
        ? `the checks here are ${checks.map((one) => quoted(one.name)).join(", ")}`
        : "write it under checks:";
    throw new Fault("job_file", `${at}: there is no check ${quoted(name)}`, {
      remedy: meant ? `did you mean ${quoted(meant)}?` : known,
    });
  }
  if (check.kind === "command" && withFindings.includes(check.parse)) return name;
  throw new Fault(
    "job_file",
    `${at}: the check ${quoted(name)} says in which files it finds something only with parse: sarif or eslint`,
    {
      remedy: "make it print such a report, and write parse: sarif or eslint at it",
    },
  );
}
