import { z } from "zod";
import { choice, later, notBuilt } from "./not-built.ts";
import { plainName, repositoryPath, text } from "./written-text.ts";

/** A step of a job file as people write it: a codemod, or a prompt for an agent. */

const languageNames = [
  "JavaScript",
  "TypeScript",
  "Tsx",
  "javascript",
  "typescript",
  "tsx",
  "js",
  "jsx",
  "ts",
] as const;

const shortForm = choice(["node-protocol"], {
  "replace-call": "needs its pattern and fix; write codemod: { pattern: 'old($A)', fix: 'new($A)' }",
});

const codemod = z.union([
  shortForm.describe("a codemod that ships"),
  z.strictObject({
    rule: text({ most: 4_096 }).optional().describe("an ast-grep YAML rule file, relative to the job file"),
    pattern: text({ most: 64_000 }).optional().describe("what to replace: an ast-grep pattern"),
    fix: z.string().max(64_000).optional().describe("what to write instead; may use what the pattern binds"),
    language: choice(languageNames).optional().describe("only files of this language"),
  }),
]);

const instead = "make it a check, or run it before and after sheaf run";

export const writtenStep = z
  .strictObject({
    codemod: codemod.optional().describe("a name, { rule: FILE } or { pattern, fix, language }"),
    prompt: text({ most: 100_000 }).optional().describe("what the agent is asked"),
    agent: plainName.optional().describe("one of agents; the job's model without instructions if absent"),
    run: later(instead),
    mayFail: later("a step that fails ends its task"),
    writes: later("write it at the task"),
    network: later("a step has no network"),
    allow: later("write it at the agent"),
  })
  .superRefine((step, context) => {
    const message = refusedStep(step);
    if (message) context.addIssue({ code: "custom", message });
    const reason = typeof step.codemod === "object" ? refusedCodemod(step.codemod) : undefined;
    if (reason) context.addIssue({ code: "custom", message: reason, path: ["codemod"] });
  });
export type WrittenStep = z.infer<typeof writtenStep>;

function refusedStep(step: Readonly<Record<string, unknown>>): string | undefined {
  if (Object.values(step).length === 0) return "the step does nothing; write a codemod or a prompt";
  if ("run" in step) return undefined;
  if (step.codemod !== undefined && step.prompt !== undefined) {
    return "a step is a codemod or a prompt, not both; write two steps";
  }
  if (step.codemod !== undefined && step.agent !== undefined) {
    return "a codemod needs no agent; leave out the agent, or write a prompt";
  }
  if (step.codemod === undefined && step.prompt === undefined) {
    return "the step asks for nothing; write a codemod or a prompt";
  }
  return undefined;
}

function refusedCodemod(codemod: { rule?: unknown; pattern?: unknown; fix?: unknown; language?: unknown }) {
  const { rule, pattern, fix, language } = codemod;
  if (rule !== undefined) {
    const isMixed = pattern !== undefined || fix !== undefined || language !== undefined;
    return isMixed ? "a rule file says its own pattern, fix and language; leave those out" : undefined;
  }
  if (pattern !== undefined && fix !== undefined) return undefined;
  if (pattern !== undefined) return '"fix" is missing; write what to put in the place of the pattern';
  if (fix !== undefined) return '"pattern" is missing; write what to replace';
  return "the codemod says nothing; write a name, { rule: FILE } or { pattern, fix, language }";
}

/** The long form of one task. */
export const writtenTask = z
  .strictObject({
    id: plainName.describe("its name in lists and patches"),
    items: z
      .array(repositoryPath)
      .min(1)
      .optional()
      .describe("what it is about: files, directories, globs; default its writes"),
    writes: z.array(repositoryPath).min(1).optional().describe("what it may edit; default its items"),
    steps: z.array(writtenStep).min(1).max(50).describe("done one after the other"),
    needs: later("tasks run side by side; put what depends on it into the same task as a further step"),
  })
  .superRefine((task, context) => {
    if (task.items || task.writes) return;
    context.addIssue({ code: "custom", message: 'the task has no files; write "items" or "writes"' });
  });
export type WrittenTask = z.infer<typeof writtenTask>;

/** `scripted/FILE` or `recipe/NAME`. */
export const modelText = text({ most: 4_096 }).superRefine((written, context) => {
  const message = refusedModel(written);
  if (message) context.addIssue({ code: "custom", message });
});

function refusedModel(written: string): string | undefined {
  if (/^scripted\/./s.test(written) || written === "recipe/node-protocol") return undefined;
  const shown = JSON.stringify(written.slice(0, 80));
  if (written === "scripted/") return `${shown} names no file; write scripted/FILE, relative to the job file`;
  if (written.startsWith("recipe/"))
    return `${shown} is no recipe that ships; write recipe/node-protocol, or use a codemod step`;
  return `${shown} ${notBuilt("write scripted/FILE (a list of turns) or recipe/node-protocol")}`;
}
