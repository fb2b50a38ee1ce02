import type { Leftover } from "../../protocol/claim.ts";
import { noUsage } from "../../protocol/message.ts";
import type { CommandStep } from "../../protocol/step.ts";
import type { Task } from "../../protocol/task.ts";
import { composeChanges } from "../../workspace/compose-changes.ts";
import { toRaw, toText } from "../../workspace/raw-path.ts";
import { runCommand } from "../commands/run-command.ts";
import type { Around } from "../commands/setup.ts";
import type { Job } from "../job.ts";
import { scopeOf } from "../tasks/scope-of.ts";
import type { FinishedRun } from "../tasks/step-order.ts";
import { type Formatter, planFormat } from "./format-plan.ts";

/**
 * The repository's own formatter over the files that recipes of a task changed, as the last thing that happens to them:
 * the program that the job's setup installed, never one of the machine. It cannot fail a task: what it could not do is a
 * leftover, and what it wrote elsewhere is put back.
 */
export async function formatChanges(
  task: Task,
  { tree, runs }: { tree: string; runs: readonly FinishedRun[] },
  around: Around,
): Promise<FinishedRun[]> {
  const changed = changedByRecipes(task, runs);
  if (around.job.spec.format === false || changed.length === 0 || !areGood(runs)) return [];
  const plans = planFormat(changed, await viewOf(tree, around.job));
  const said = runs.flatMap((run) => run.report.submission?.summary ?? []).at(-1) ?? "";
  const made: FinishedRun[] = [];
  for (const plan of plans) {
    const at = {
      task,
      tree: made.findLast((run) => run.taken)?.taken?.tree ?? tree,
      ordinal: task.steps.length + made.length,
    };
    made.push(...(await format(plan, at, { ...around, said })));
    if (!areGood(made)) break;
  }
  return made;
}

function areGood(runs: readonly FinishedRun[]): boolean {
  return runs.every(({ report }) => report.state === "succeeded" && report.submission?.refused === undefined);
}

/** Ordinary files that are there afterwards. */
function changedByRecipes({ steps }: Task, runs: readonly FinishedRun[]): string[] {
  const byRecipe = runs.filter((_, index) => {
    const step = steps[index];
    return step?.kind === "agent" && step.agent.model.provider === "recipe";
  });
  const changes = composeChanges(byRecipe.map((run) => run.taken?.touched ?? []));
  return changes.flatMap(({ path, after }) => (after?.mode.startsWith("100") ? (toText(path) ?? []) : []));
}

/** Settings are small; what is larger is none. */
const mostConfigBytes = 1024 * 1024;

async function viewOf(tree: string, { repository }: Job) {
  const { entries } = await repository.listings.get(tree);
  const entryOf = (path: string) => entries.get(toRaw(path));
  const texts = new Map<string, string>();
  for (const { path, oid, mode } of entries.values()) {
    const text = toText(path);
    if (text === undefined || !mode.startsWith("100") || !isRead.test(text)) continue;
    const size = (await repository.objects.info(oid))?.size ?? 0;
    const bytes = size <= mostConfigBytes ? await repository.objects.read(oid) : undefined;
    if (bytes) texts.set(text, bytes.toString());
  }
  return { has: (path: string) => entryOf(path) !== undefined, text: (path: string) => texts.get(path) };
}

/** Settings whose name alone does not tell. */
const isRead = /(?:^|\/)(?:\.?biome\.jsonc?|package\.json|pyproject\.toml|\.?ruff\.toml)$/;

interface At {
  task: Task;
  tree: string;
  ordinal: number;
}

type Speaking = Around & { said: string };

/** As many commands as the length of a command line asks for; the first that does not work ends it. */
async function format(plan: Formatter, at: At, around: Speaking): Promise<FinishedRun[]> {
  if (plan.absent !== undefined) return [told(plan, { why: plan.absent, said: around.said })];
  const sandbox = await around.equipment.sandbox();
  if ("unavailable" in sandbox) return [told(plan, { why: sandbox.unavailable, said: around.said })];
  if (!around.job.spec.setup) {
    const why = "the job has no setup that would install it";
    return [told(plan, { why, said: around.said })];
  }
  const made: FinishedRun[] = [];
  let words = plan.commands[0] ?? [];
  for (const files of batches(plan.files)) {
    const here = { ...at, ordinal: at.ordinal + made.length, tree: made.at(-1)?.taken?.tree ?? at.tree };
    const { run, works } = await firstThatIsThere(plan, files, { at: here, around, words });
    made.push(run);
    if (!works) break;
    words = works;
  }
  return made;
}

/** Bytes of file names in one command. */
const mostNameBytes = 64 * 1024;

function batches(files: readonly string[]): string[][] {
  const made: string[][] = [];
  let left = 0;
  for (const file of files) {
    const size = Buffer.byteLength(file) + 3;
    if (size > left) {
      made.push([]);
      left = mostNameBytes;
    }
    made.at(-1)?.push(file);
    left -= size;
  }
  return made;
}

async function firstThatIsThere(
  plan: Formatter,
  files: readonly string[],
  { at, around, words }: { at: At; around: Speaking; words: readonly string[] },
): Promise<{ run: FinishedRun; works?: readonly string[] }> {
  const tried = [words, ...plan.commands.filter((each) => each !== words)];
  let why = "";
  for (const command of tried) {
    const run = await runCommand(orderOf(command, files, { at, around }), around);
    if (run.report.state === "cancelled") return { run };
    const wasThere = run.report.failure?.message.includes("exit 127") !== true;
    if (run.report.state === "succeeded" || (run.denials.length > 0 && run.hasEndedWell))
      return { run: harmless(run, plan, around.said), works: command };
    why = [run.report.failure?.message ?? "it did not end well", run.tail ?? ""].join(": ");
    if (wasThere) break;
    why = `the setup did not install ${command[0]}`;
  }
  return { run: told(plan, { why, said: around.said }) };
}

const timeoutMs = 5 * 60_000;

function orderOf(words: readonly string[], files: readonly string[], { at, around }: { at: At; around: Around }) {
  const step: CommandStep = {
    kind: "command",
    run: [...words, ...files.map((file) => `./${file}`)],
    may_fail: false,
    timeout_ms: timeoutMs,
    writes: [{ files: [...files] }],
  };
  const { task, tree, ordinal } = at;
  const scope = scopeOf(task, step, { spec: around.job.spec, ceiling: around.equipment.ceiling, tools: [] });
  return { task, step, ordinal, attempt: 1, tree, scope };
}

/** What it had no right to write is back already, and is in its log. */
function harmless({ report, taken }: FinishedRun, { name }: Formatter, said: string): FinishedRun {
  const { failure: _, ...rest } = report;
  const summary = `${said} Formatted by ${name}.`.trim();
  return {
    report: { ...rest, state: "succeeded", submission: { summary } },
    ...(taken ? { taken } : {}),
    denials: [],
    hasThreadDied: false,
  };
}

/** A formatter that did not run, as something left over in the first file it was for. */
function told({ name, config, files }: Formatter, { why, said }: { why: string; said: string }): FinishedRun {
  const more = files.length > 1 ? ` and ${files.length - 1} more files` : "";
  const reason = `not formatted by ${name} (${config})${more === "" ? "" : `, this${more}`}: ${why.slice(0, 1_000)}`;
  const leftover: Leftover = { path: files[0] ?? config, line: 1, column: 1, text: "", reason };
  const submission = { summary: said, leftovers: [leftover] };
  return { report: { state: "succeeded", turns: 0, usage: noUsage, submission }, denials: [], hasThreadDied: false };
}
