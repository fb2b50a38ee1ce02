import { access } from "node:fs/promises";
import { basename, join } from "node:path";
import { count, oneLine } from "../../src/cli/words.ts";
import type { Result } from "../../src/protocol/result.ts";
import type { DemoFolder } from "./demo-folder.ts";
import { runSheaf } from "./run-sheaf.ts";
import { shellWord } from "./shell-word.ts";
import { lastLine, nextLines, sheafCommand } from "./sum-up.ts";
import { type Planned, say, tellStory } from "./tell-story.ts";

/** The same refactoring of the user's own repository. It leaves one new file: a patch, where the demo was started. */
export interface OwnOrder {
  /** Absolute. */
  repository: string;
  checks: readonly string[];
  startedIn: string;
  /** How the checks are contained. */
  note: string;
  signal: AbortSignal;
}

export async function refactorOwn(folder: DemoFolder, order: OwnOrder): Promise<number> {
  const { repository, checks, note, signal } = order;
  say("Sheaf demo: no key, no network; your files stay as they are");
  if (checks.length === 0) say("check  none; --check CMD would look at the result before the patch is written");
  for (const check of checks) say(`check  on your word this runs, in a clean checkout: ${oneLine(check, 80)}`);
  if (checks.length > 0) say(`note   ${note}`);
  const patch = await freePatchName(order);
  let plan: Planned | undefined;
  const story = tellStory((planned) => {
    plan = planned;
    for (const line of opening(planned)) say(line);
  });
  const ended = await runSheaf({
    words: [
      ...["--codemod", "node-protocol", "--repo", repository, "--publish", `patch=${patch}`],
      ...checks.flatMap((check) => ["--check", check]),
    ],
    home: folder.home,
    cwd: folder.root,
    signal,
    onFact: story.take,
    onRemark: sayUncommitted,
  });
  signal.throwIfAborted();
  if ("said" in ended) throw new Error(ended.said || `sheaf run ended without a result (${ended.exit})`);
  story.end(ended);
  for (const line of ending(ended, { plan, folder, order })) say(line);
  return ended.exit_code === 0 ? 0 : 1;
}

/** A patch that is there already is somebody's. */
async function freePatchName({ repository, startedIn }: OwnOrder): Promise<string> {
  for (let number = 1; ; number++) {
    const name = `${basename(repository)}-node-protocol${number === 1 ? "" : `-${number}`}.patch`;
    const isFree = await access(join(startedIn, name)).then(
      () => false,
      () => true,
    );
    if (isFree) return join(startedIn, name);
  }
}

function opening({ base, tasks }: Planned): string[] {
  const files = tasks.reduce((sum, task) => sum + task.files.length, 0);
  return [
    `repo   ${oneLine(base.repository, 200)}, commit ${base.commit.slice(0, 7)}`,
    `job    fs -> node:fs over ${count(files, "source file")} by ${count(tasks.length, "sub-agent")}`,
  ];
}

/** The one remark of the command that matters here: what the commit does not hold. */
function sayUncommitted(line: string): void {
  if (line.startsWith("base ")) say(line.replace(/; --include-dirty.*$/, ""));
}

interface EndingView {
  plan: Planned | undefined;
  folder: DemoFolder;
  order: OwnOrder;
}

function ending(result: Result, { plan, folder, order }: EndingView): string[] {
  const { outcome, published } = result;
  const files = plan?.tasks.reduce((sum, task) => sum + task.files.length, 0) ?? 0;
  if (outcome === "no_changes") {
    return [`DONE   nothing to do: ${count(files, "source file")}, none with a prefix to add`];
  }
  const isGood = outcome === "succeeded";
  const sheaf = (words: string) => sheafCommand(words, { home: folder.home, startedIn: order.startedIn });
  const patch = published && "patch_file" in published ? published.patch_file : undefined;
  const top = shellWord(plan?.base.repository ?? order.repository);
  return [
    lastLine(result, isGood ? undefined : oneLine(result.reason?.message ?? "no reason was given")),
    ...nextLines([
      ...(patch ? ([["take it home", `git -C ${top} apply ${shellWord(patch)}`]] as const) : []),
      ["who did what", sheaf("show last")],
    ]),
    ...(patch ? [] : ["No patch was written."]),
    `The log of it is in ${folder.root} until the next demo.`,
  ];
}
