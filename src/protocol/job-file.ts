import { z } from "zod";
import { duration } from "./duration.ts";
import { writtenCheck } from "./job-file-check.ts";
import { modelText } from "./job-file-codemod.ts";
import { inputs } from "./job-file-input.ts";
import { writtenReach } from "./job-file-reach.ts";
import { writtenSplit } from "./job-file-split.ts";
import { promptText, writtenStep, writtenTask } from "./job-file-step.ts";
import { choice, later } from "./not-built.ts";
import { key } from "./written-key.ts";
import { writtenRules } from "./written-rule.ts";
import { plainName, repositoryFile, shellCommand, templated, templatedBranch } from "./written-text.ts";

/**
 * The job file as people write it, version 1. It says nothing about files it names, agents it refers to or the
 * repository: resolving them is the coordinator's (resolve-job.ts). Keys beginning with `x-` never get here.
 */

const steps = z.array(writtenStep).min(1).max(50);

const agent = z
  .strictObject({
    use: key(repositoryFile, "an agent file of the repository, read at the commit the job starts from", "none"),
    model: key(modelText, "scripted/FILE or recipe/NAME", "the job's model"),
    prompt: key(promptText, "its instructions, before what a step asks; inputs are filled in", "none"),
    allow: key(writtenRules, "rules that narrow what its tasks may do", "all that its task may"),
    deny: key(writtenRules, "what it may not do", { is: [] }),
    limits: later("write limits for the whole job"),
  })
  .superRefine((written, context) => {
    const refused = written.use === undefined ? undefined : refusedBeside(written);
    if (refused) context.addIssue({ code: "custom", ...refused });
  });
export type WrittenAgent = z.infer<typeof agent>;

/** The file has both already. */
function refusedBeside({ prompt, allow }: { prompt?: unknown; allow?: unknown }) {
  if (prompt !== undefined) return { message: "use brings its own prompt; leave this out", path: ["prompt"] };
  if (allow === undefined) return undefined;
  return { message: "use says in its tools what it may do; write allow at the step", path: ["allow"] };
}

const setup = z.union([
  shellCommand,
  z.strictObject({
    run: shellCommand.meta({ description: "a shell command, such as npm ci; required" }),
    timeout: key(duration, "how long it may take", { is: "15m" }),
    ...writtenReach,
  }),
]);

const permissions = z.strictObject({
  mode: key(
    choice(["ask", "deny", "plan"]),
    "of a call that no rule covers: somebody is asked, or it is denied; plan denies whatever has an effect",
    "ask where sheaf run has a terminal, else deny",
  ),
  allow: key(writtenRules, "what tasks may do beyond their writes: Edit(glob), Bash(npm test:*)", { is: [] }),
  ask: key(writtenRules, "what somebody is asked about; wins over every allow", { is: [] }),
  deny: key(writtenRules, "what no task may do; wins over every ask and allow", { is: [] }),
  grant: key(writtenRules, "what tasks may give to agents they start, beyond what they hold", { is: [] }),
});

const publish = z.union([
  choice(["none", "patch"], { branch: "needs a name; write publish: { branch: sheaf/NAME }" }),
  z
    .strictObject({
      branch: key(templatedBranch, "a branch with the result", "none"),
      existing: key(
        choice(["refuse", "skip", "replace", "update"]),
        "when that branch is there: refuse before anything runs, skip publishing, replace it, or add to it",
        { is: "refuse" },
      ),
      onBaseMoved: key(
        choice(["keep", "recheck", "fail"]),
        "when the ref the job started from has moved: stay at the base, check again on the new one, or fail",
        { is: "keep" },
      ),
      groupBy: key(choice(["job", "task"]), "one commit, or one for each task", { is: "job" }),
      patch: key(templated({ most: 4_096 }), "a patch file, relative to where sheaf was started", "none"),
    })
    .superRefine((written, context) => {
      const refused = refusedPublish(written);
      if (refused) context.addIssue({ code: "custom", ...refused });
    }),
]);

const ofBranches = ["existing", "onBaseMoved", "groupBy"] as const;

function refusedPublish(written: Partial<Record<(typeof ofBranches)[number] | "branch" | "patch", unknown>>) {
  if ((written.branch === undefined) === (written.patch === undefined)) {
    return { message: "publish needs exactly one of branch and patch; write one of them" };
  }
  const foreign = written.branch === undefined ? ofBranches.find((key) => written[key] !== undefined) : undefined;
  return foreign && { message: `${foreign} belongs to branch; leave it out`, path: [foreign] };
}

const limits = z.strictObject({
  concurrency: key(z.int().min(1).max(10_000), "most tasks at the same time", "by the threads"),
  time: key(duration, "for the whole job", { is: "45m" }),
  idle: key(duration, "for a run that does nothing", { is: "5m" }),
  usd: later("no model that is built costs money"),
  tokens: later("use time"),
  turns: later("a run ends after 40 turns"),
  depth: later("agents start no agents"),
});

export const jobFile = z
  .strictObject({
    version: z.literal(1).meta({ description: "the version of this format: 1; required" }),
    name: key(plainName, "identity in lists and branches", "the file's name"),
    inputs: key(
      inputs,
      `values the job is given: name: default, or name: { type, description, default, options, untrusted }; used as \${{ inputs.name }}`,
      { is: {} },
    ),
    model: key(modelText, "of prompt steps: scripted/FILE or recipe/NAME", "none"),
    agents: key(z.record(plainName, agent), "by name; steps refer to them", { is: {} }),
    setup: key(
      setup,
      "prepares a checkout for commands, once per state of the dependency manifests: a shell command, or { run, timeout, network, secrets }",
      "none",
    ),
    split: key(
      writtenSplit,
      "how each is spread over tasks: none, files, directory, workspace, owner, or { by, files, tasks, match, items, of }",
      "files, sized for the threads; none where a step renames a symbol or moves a file",
    ),
    before: key(steps, "steps once before all tasks, which start from their work", "none"),
    each: key(steps, "steps of every task of the split", "none"),
    after: key(steps, "steps once after all tasks, on their folded work", "none"),
    tasks: key(z.array(writtenTask).min(1).max(10_000), "the long form, in the place of split and each", "none"),
    checks: key(
      z.array(writtenCheck).max(100),
      "commands about the merged tree or each task's own, or texts that must be absent",
      { is: [] },
    ),
    permissions: key(
      permissions,
      "rules about what tasks may do beyond their writes, what is asked about, and what they may not",
      "a task reads the repository and edits its writes",
    ),
    format: key(z.boolean(), "the repository's own formatter, where it has one, ends the work of a recipe", {
      is: true,
    }),
    land: key(choice(["green", "together"]), "land what is good, or all or nothing", { is: "green" }),
    publish: key(publish, "none, patch, { patch: FILE } or { branch: NAME, existing, onBaseMoved, groupBy }", {
      is: "none",
    }),
    limits: key(limits, "what the job may take", "those of its keys"),
    prompt: later("write it as a step: each: [{ prompt: ... }]"),
    merge: later("a conflict leaves the later task out and keeps its patch"),
    capture: later("traces carry metadata only"),
    triggers: later("start sheaf run from cron or CI"),
  })
  .superRefine((job, context) => {
    for (const refused of refusedJob(job)) context.addIssue({ code: "custom", ...refused });
  });
export type JobFile = z.infer<typeof jobFile>;

interface Refused {
  message: string;
  path?: (string | number)[];
}

type Written = Partial<Record<"before" | "each" | "after" | "split" | "prompt", unknown>> & {
  tasks?: { id: string }[] | undefined;
};

function refusedJob(job: Written): Refused[] {
  const { before, each, after, tasks, split } = job;
  const refused: Refused[] = [];
  if ([before, each, after, tasks, job.prompt].every((part) => part === undefined)) {
    refused.push({ message: 'the job does nothing; write "each" (steps for every part) or "tasks"' });
  } else if (tasks !== undefined && each !== undefined) {
    refused.push({ message: "each and tasks cannot both be there; write one of them", path: ["tasks"] });
  } else if (split !== undefined && each === undefined) {
    const message = tasks
      ? "split belongs to each; tasks say their own files"
      : "split belongs to each; write each, or leave it out";
    refused.push({ message, path: ["split"] });
  }
  return [...refused, ...refusedIds(job)];
}

/** The steps before and after are tasks too, of those names. */
function refusedIds({ tasks = [], before, after }: Written): Refused[] {
  const taken = new Map<string, string>([
    ...(before ? [["before", "the steps before all tasks have this id; give it another one"] as const] : []),
    ...(after ? [["after", "the steps after all tasks have this id; give it another one"] as const] : []),
  ]);
  return tasks.flatMap(({ id }, index): Refused[] => {
    const message = taken.get(id.toLowerCase());
    taken.set(id.toLowerCase(), "a task before this one has the same id (case does not count); give each its own");
    return message === undefined ? [] : [{ message, path: ["tasks", index, "id"] }];
  });
}
