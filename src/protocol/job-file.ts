import { z } from "zod";
import { duration } from "./duration.ts";
import { writtenAgent } from "./job-file-agent.ts";
import { writtenCheck } from "./job-file-check.ts";
import { inputs } from "./job-file-input.ts";
import { writtenLimits } from "./job-file-limits.ts";
import { defaultModel, modelText } from "./job-file-model.ts";
import { refusedParts } from "./job-file-parts.ts";
import { writtenReach } from "./job-file-reach.ts";
import { writtenServers } from "./job-file-server.ts";
import { writtenSplit } from "./job-file-split.ts";
import { promptText, writtenStep, writtenTask } from "./job-file-step.ts";
import { choice, later } from "./not-built.ts";
import { key } from "./written-key.ts";
import { writtenRules } from "./written-rule.ts";
import { plainName, shellCommand, templated, templatedBranch } from "./written-text.ts";

/**
 * The job file as people write it, version 1. It says nothing about files it names, agents it refers to or the
 * repository: resolving them is the coordinator's (resolve-job.ts). Keys beginning with `x-` never get here.
 */

const steps = z.array(writtenStep).min(1).max(50);

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

export const jobFile = z
  .strictObject({
    version: z.literal(1).meta({ description: "the version of this format: 1; required" }),
    name: key(plainName, "identity in lists and branches", "the file's name"),
    inputs: key(
      inputs,
      `values the job is given: name: default, or name: { type, description, default, options, untrusted }; used as \${{ inputs.name }}`,
      { is: {} },
    ),
    prompt: key(
      promptText,
      "the goal, told to all agents of the job; with neither each nor tasks, what a planner makes tasks of",
      "none",
    ),
    model: key(
      modelText,
      "of prompt steps and planners: sonnet, opus, haiku, the id of a model, bedrock/ID, vertex/ID, replay/JOB, scripted/FILE or recipe/NAME",
      { is: defaultModel },
    ),
    agents: key(
      z.record(plainName, writtenAgent),
      "by name, beside those in .claude/agents; steps, plans and Agent rules refer to them; one called planner plans",
      { is: {} },
    ),
    servers: key(
      writtenServers,
      "servers of tools (MCP) by name: { run: [COMMAND, ...], network, secrets } or { url, headers }; rules allow their tools",
      { is: {} },
    ),
    setup: key(
      setup,
      "prepares a checkout for commands, once per state of the dependency manifests: a shell command, or { run, timeout, network, secrets }",
      "none",
    ),
    split: key(
      writtenSplit,
      "how each is spread over tasks: none, files, directory, workspace, owner, or { by, files, tasks, match, items, of }; planner makes the tasks of prompt",
      "files, sized for the threads; none where a step renames a symbol or moves a file; planner where a prompt has neither each nor tasks",
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
    limits: key(writtenLimits, "what the job may take", "those of its keys"),
    merge: later("a conflict leaves the later task out and keeps its patch"),
    capture: later("traces carry metadata only"),
    triggers: later("start sheaf run from cron or CI"),
  })
  .superRefine((job, context) => {
    for (const refused of refusedParts(job)) context.addIssue({ code: "custom", ...refused });
  });
export type JobFile = z.infer<typeof jobFile>;
