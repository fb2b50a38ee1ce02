import { z } from "zod";
import { duration } from "./duration.ts";
import { modelText, writtenStep, writtenTask } from "./job-file-step.ts";
import { choice, later, notBuilt } from "./not-built.ts";
import { branchName, plainName, repositoryPath, text } from "./written-text.ts";

/**
 * The job file as people write it, version 1. It says nothing about files it names, agents it refers to or the
 * repository: resolving them is the coordinator's (resolve-job.ts). Keys beginning with `x-` never get here.
 */

const unbuiltSplit = notBuilt("use files, directory, list or none");
const laterSplits = {
  workspace: unbuiltSplit,
  findings: unbuiltSplit,
  owner: unbuiltSplit,
  planner: unbuiltSplit,
  match: unbuiltSplit,
};
const count = z.int().min(1).max(1_000_000);

const split = z.union([
  choice(["none", "files", "directory"], {
    ...laterSplits,
    list: "needs its items; write split: { by: list, items: [src, test] }",
  }),
  z
    .strictObject({
      by: choice(["none", "files", "directory", "list"], laterSplits).describe("how the repository is cut into tasks"),
      files: count.optional().describe("most files of one task; default sized for the threads"),
      tasks: count.optional().describe("most tasks; more is refused, with the counts"),
      items: z.array(repositoryPath).min(1).optional().describe("files, directories or globs; each becomes a task"),
      match: later("name what is meant with by: list, items: [GLOB]"),
      of: later("splitting by findings is not there"),
      workspace: later("use by: directory or by: list"),
      owner: later("use by: list"),
    })
    .superRefine((written, context) => {
      const message = refusedSplit(written);
      if (message) context.addIssue({ code: "custom", message });
    }),
]);

function refusedSplit({ by, files, tasks, items }: { by: string; files?: unknown; tasks?: unknown; items?: unknown }) {
  if (by === "list" && items === undefined)
    return '"items" is missing; write the files, directories or globs to split by';
  if (by !== "list" && items !== undefined) return '"items" belongs to by: list; write by: list, or leave it out';
  if (by === "list" && files !== undefined) return '"files" does not apply to by: list; each item is one task';
  if (by === "none" && (files !== undefined || tasks !== undefined)) {
    return "by: none is always one task; leave out its maxima, or write by: files";
  }
  return undefined;
}

const ruleTexts = z.array(text({ most: 4_200 })).max(1_000);

const agent = z.strictObject({
  model: modelText.optional().describe("scripted/FILE or recipe/NAME; default the job's model"),
  prompt: text({ most: 100_000 }).optional().describe("its instructions, before what a step asks"),
  allow: ruleTexts.optional().describe("rules that narrow what its tasks may do: Read(glob), Edit(glob)"),
  use: later("write model, prompt and allow here"),
  limits: later("write limits for the whole job"),
});
export type WrittenAgent = z.infer<typeof agent>;

const command = text({ most: 16_000 });

const check = z.union([
  command,
  z.strictObject({
    name: text({ most: 200 }).optional().describe("its name in results; default the command"),
    run: command.describe("a shell command; it passes with exit 0"),
    at: choice(["tree"], { task: notBuilt("checks run at the merged tree; leave it out") }).optional(),
    expect: choice(["no-new-failures", "pass", "fixed", "fewer"]).optional().describe("default no-new-failures"),
    timeout: duration.optional().describe("default 15m"),
    parse: choice(["exit"], parsers()).optional(),
    retries: later("a check runs once; repeat it inside its command"),
    absent: later("use a check such as: '! git grep -n PATTERN'"),
    in: later("it belongs to absent, which is not there"),
  }),
]);

function parsers(): Record<string, string> {
  const reason = notBuilt("only the exit code is read; leave it out");
  return { junit: reason, tap: reason, sarif: reason };
}

const permissions = z.strictObject({
  allow: ruleTexts.optional().describe("Read(glob) and Edit(glob) that tasks may do beyond their writes"),
  deny: ruleTexts.optional().describe("what no task may do; wins over every allow"),
  mode: later("what no rule allows is denied"),
  ask: later("what no rule allows is denied; write it in allow or deny"),
  grant: later("tasks start no agents of their own"),
});

const publish = z.union([
  choice(["none", "patch"], { branch: "needs a name; write publish: { branch: sheaf/NAME }" }),
  z
    .strictObject({
      branch: branchName.optional().describe("a new branch with the result"),
      patch: text({ most: 4_096 }).optional().describe("a patch file, relative to where sheaf was started"),
      existing: later("a branch that exists is never moved; name a new one"),
      onBaseMoved: later("the branch starts at the commit the job started from"),
      groupBy: later("the result is one commit"),
    })
    .superRefine((written, context) => {
      if (Object.values(written).filter((value) => value !== undefined).length === 1) return;
      context.addIssue({ code: "custom", message: "publish needs exactly one of branch and patch; write one of them" });
    }),
]);

const limits = z.strictObject({
  concurrency: z.int().min(1).max(10_000).optional().describe("most tasks at the same time; default by the threads"),
  time: duration.optional().describe("for the whole job; default 45m"),
  idle: duration.optional().describe("for a run that does nothing; default 5m"),
  usd: later("no model that is built costs money"),
  tokens: later("use time"),
  turns: later("a run ends after 40 turns"),
  depth: later("agents start no agents"),
});

export const jobFile = z
  .strictObject({
    version: z.literal(1).describe("1"),
    name: plainName.optional().describe("identity in lists and branches; default the file's name"),
    model: modelText.optional().describe("of prompt steps: scripted/FILE or recipe/NAME"),
    agents: z.record(plainName, agent).optional().describe("by name; steps refer to them"),
    split: split.optional().describe("how each is spread over tasks; default files, sized for the threads"),
    each: z.array(writtenStep).min(1).max(50).optional().describe("steps of every task"),
    tasks: z.array(writtenTask).min(1).max(10_000).optional().describe("the long form, in the place of split and each"),
    checks: z.array(check).max(100).optional().describe("commands about the merged tree"),
    permissions: permissions.optional(),
    land: choice(["green", "together"]).optional().describe("land what is good, or all or nothing; default green"),
    publish: publish.optional().describe("none, patch, { branch: NAME } or { patch: FILE }; default none"),
    limits: limits.optional(),
    prompt: later("write it as a step: each: [{ prompt: ... }]"),
    inputs: later("write the values themselves"),
    setup: later("put it before the command of the check that needs it"),
    before: later("do it in the repository, commit it, and run sheaf from there"),
    after: later("do it after sheaf apply"),
    merge: later("a conflict leaves the later task out and keeps its patch"),
    capture: later("traces carry metadata only"),
    triggers: later("start sheaf run from cron or CI"),
  })
  .superRefine((job, context) => {
    const refused = refusedJob(job);
    if (refused) context.addIssue({ code: "custom", ...refused });
    const twice = job.tasks && secondOfTwins(job.tasks.map((task) => task.id.toLowerCase()));
    if (twice === undefined) return;
    const message = "a task before this one has the same id (case does not count); give each its own";
    context.addIssue({ code: "custom", message, path: ["tasks", twice, "id"] });
  });
export type JobFile = z.infer<typeof jobFile>;

function refusedJob(job: { each?: unknown; tasks?: unknown; split?: unknown; prompt?: unknown }) {
  if (job.each === undefined && job.tasks === undefined && job.prompt === undefined) {
    return { message: 'the job does nothing; write "each" (steps for every part) or "tasks"' };
  }
  if (job.tasks === undefined) return undefined;
  if (job.each !== undefined)
    return { message: "each and tasks cannot both be there; write one of them", path: ["tasks"] };
  return job.split === undefined
    ? undefined
    : { message: "split belongs to each; tasks say their own files", path: ["split"] };
}

function secondOfTwins(names: readonly string[]): number | undefined {
  const seen = new Set<string>();
  const index = names.findIndex((name) => seen.size === seen.add(name).size);
  return index === -1 ? undefined : index;
}
