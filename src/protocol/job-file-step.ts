import { z } from "zod";
import { duration } from "./duration.ts";
import { codemod } from "./job-file-codemod.ts";
import { writtenReach } from "./job-file-reach.ts";
import { key } from "./written-key.ts";
import { writtenRules } from "./written-rule.ts";
import {
  plainName,
  refusedCharacters,
  shellCommand,
  templated,
  templatedPath,
  templateProblem,
} from "./written-text.ts";

/** A step of a job file as people write it: a codemod, a prompt for an agent, or a command. */

/** One word of a command that meets no shell. It may be empty, and templates in it are filled in. */
const word = z.string().superRefine((written, context) => {
  const message = refusedCharacters(written, 64_000) ?? templateProblem(written);
  if (message) context.addIssue({ code: "custom", message });
});

const words = z
  .array(word)
  .min(1)
  .max(1_000)
  .superRefine((written, context) => {
    for (const [index, message] of refusedWords(written)) context.addIssue({ code: "custom", message, path: [index] });
  });

function refusedWords(written: readonly string[]): [index: number, message: string][] {
  const [program = ""] = written;
  if (program.trim() === "") return [[0, "the first word is the program; write its name"]];
  if (program.includes("${{")) return [[0, "the program cannot be filled in; write its name, and templates after it"]];
  return written.flatMap((word, index): [number, string][] => {
    if (!(word.includes("${{") && isSource(written, index))) return [];
    return [
      [
        index,
        `this word is source code to ${JSON.stringify(interpreterIn(written.slice(0, index)))}; pass the value as a word after it, or use the environment`,
      ],
    ];
  });
}

/** A value filled into `sh -c` or `node -e` would be run: those words cannot hold one. */
function isSource(written: readonly string[], index: number): boolean {
  return (
    interpreterIn(written.slice(0, index)) !== undefined &&
    /^(?:-[A-Za-z]*[cep]|--(?:command|eval|print))$/.test(written[index - 1] ?? "")
  );
}

const interpreters =
  /^(?:a|ba|da|k|z|fi)?sh$|^(?:node|nodejs|deno|bun|python[\d.]*|perl|ruby|php|lua|awk|gawk|sed|eval)$/;

function interpreterIn(before: readonly string[]): string | undefined {
  return before.map((word) => word.replace(/^.*\//s, "")).find((name) => interpreters.test(name));
}

/** What a prompt may say. */
export const promptText = templated({ most: 100_000 });

export const writtenStep = z
  .strictObject({
    codemod: key(
      codemod,
      "a name, { rule: FILE }, { pattern, fix, language }, { rename-symbol } or { move-file }",
      "none",
    ),
    prompt: key(
      promptText,
      `what the agent is asked; \${{ inputs.x }}, \${{ item.path }}, \${{ task.files }} are filled in`,
      "none",
    ),
    agent: key(plainName, "of a prompt: one of agents", "the job's model without instructions"),
    run: key(
      z.union([shellCommand, words]),
      `a shell command, or a list of words, in which \${{ task.files }} alone becomes a word for each file`,
      "none",
    ),
    mayFail: key(z.boolean(), "of run: an exit code other than 0 does not end the task", { is: false }),
    timeout: key(duration, "of run: how long it may take", { is: "15m" }),
    writes: key(
      z.array(templatedPath).min(1).max(1_000),
      "narrows what the task may edit to these files, directories and globs",
      "what the task may edit",
    ),
    ...writtenReach,
    allow: key(writtenRules, "of a prompt: rules that narrow what it may do", "all that its task may"),
  })
  .superRefine((step, context) => {
    const message = refusedStep(step);
    if (message) context.addIssue({ code: "custom", message });
  })
  .meta({ id: "step" });
export type WrittenStep = z.infer<typeof writtenStep>;

const kinds = ["codemod", "prompt", "run"] as const;

function refusedStep(step: Readonly<Record<string, unknown>>): string | undefined {
  if (Object.values(step).every((value) => value === undefined))
    return "the step does nothing; write a codemod, a prompt or a run";
  const given = kinds.filter((kind) => step[kind] !== undefined);
  const [kind] = given;
  if (kind === undefined) return "the step asks for nothing; write a codemod, a prompt or a run";
  if (given.length > 1) return `a step is one of ${given.join(" and ")}; write a step for each`;
  if (kind !== "prompt" && step.agent !== undefined) {
    return `a ${kind} needs no agent; leave out the agent, or write a prompt`;
  }
  if (kind !== "prompt" && step.allow !== undefined) {
    return `allow belongs to a prompt; what a ${kind} may edit is narrowed by writes`;
  }
  const reach = ["network", "secrets"].find((key) => kind === "codemod" && step[key] !== undefined);
  if (reach !== undefined) return `${reach} belongs to a run or a prompt; a codemod runs no command`;
  const foreign = ["mayFail", "timeout"].find((key) => kind !== "run" && step[key] !== undefined);
  return foreign === undefined ? undefined : `${foreign} belongs to run; leave it out`;
}

/** The long form of one task. */
export const writtenTask = z
  .strictObject({
    id: plainName.meta({ description: "its name in lists and patches; required" }),
    needs: key(
      z.array(plainName).min(1).max(1_000),
      "ids of tasks whose work it starts from",
      "none: it starts from the base",
    ),
    items: key(z.array(templatedPath).min(1), "what it is about: files, directories, globs", "its writes"),
    writes: key(z.array(templatedPath).min(1), "what it may edit", "its items"),
    steps: z.array(writtenStep).min(1).max(50).meta({ description: "done one after the other; required" }),
  })
  .superRefine((task, context) => {
    if (task.items || task.writes) return;
    context.addIssue({ code: "custom", message: 'the task has no files; write "items" or "writes"' });
  });
export type WrittenTask = z.infer<typeof writtenTask>;
