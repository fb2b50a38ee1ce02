import { Fault } from "../protocol/failure.ts";
import type { Step } from "../protocol/step.ts";
import type { Task } from "../protocol/task.ts";
import { type Expression, namesIn, parseTemplate, printExpression, type Template } from "../protocol/template.ts";
import { refuseUnlistable } from "./command-environment.ts";
import { asText, evaluate, line, type TemplateValue } from "./evaluate-template.ts";

/** What a step is filled in with: what the split made of the repository. */
export type FilledTask = Pick<Task, "id" | "item" | "files" | "findings">;

const mostCharacters = 1_000_000;
/** Linux takes 2 MB of words and environment together, macOS 1 MB. */
const mostBytes = 500_000;

/**
 * A step of the job with `${{ item.* }}` and `${{ task.* }}` filled in for one task. Every step of a job passes through
 * here once and once only: a text that came out is no template any more. Throws Fault `job_file` where a name stands
 * for nothing in this split, or the command would be longer than a system takes.
 */
export function fillStep(step: Step, task: FilledTask): Step {
  if (step.kind === "agent") {
    return step.prompt.includes("${{") ? { ...step, prompt: filledText(templateOf(step.prompt), task) } : step;
  }
  if (typeof step.run === "string") {
    refuseUnlistable(step.run, task);
    return step;
  }
  const run = step.run.flatMap((word) => filledWords(word, task));
  const bytes = run.reduce((sum, word) => sum + Buffer.byteLength(word) + 9, 0);
  if (bytes <= mostBytes) return { ...step, run };
  throw refuse(
    task,
    `its command ${JSON.stringify(step.run[0])} would have ${run.length} words of ${bytes} bytes, at most ${mostBytes} are taken`,
    "make smaller tasks: split: { by: files, files: 100 }",
  );
}

function templateOf(text: string): Template {
  const read = parseTemplate(text);
  if ("template" in read) return read.template;
  throw new Fault("internal", `a template of a resolved job does not parse: ${read.problem}`);
}

function filledText(template: Template, task: FilledTask): string {
  let left = mostCharacters;
  return template
    .map((part) => {
      const text = part.kind === "text" ? part.text : asText(evaluated(part.expression, task));
      left -= text.length;
      if (left < 0)
        throw refuse(
          task,
          `its prompt would have more than ${mostCharacters} characters`,
          "make smaller tasks, or name fewer files in it",
        );
      return text;
    })
    .join("");
}

/** One word, or a word for each item where a list stands alone. */
function filledWords(word: string, task: FilledTask): string[] {
  if (!word.includes("${{")) return [word];
  const template = templateOf(word);
  const [first] = template;
  if (first?.kind !== "filled") return [filledText(template, task)];
  if (template.length > 1) return [asArgument(filledText(template, task), first.expression, task)];
  const value = evaluated(first.expression, task);
  if (typeof value === "string") return [asArgument(value, first.expression, task)];
  if (value.length > 0) return value.map((item) => asArgument(line(item), first.expression, task));
  throw refuse(
    task,
    `${shown(first.expression)} is an empty list, and the command would run without it`,
    "use default(task.files, '.') to say what is meant then",
  );
}

/** A name from the repository that begins with a hyphen must not become an option of the program. */
function asArgument(text: string, expression: Expression, task: FilledTask): string {
  if (!text.startsWith("-") || namesIn(expression).length === 0) return text;
  const isPath = expression.kind === "name" && (expression.key === "files" || expression.key === "path");
  if (isPath) return `./${text}`;
  throw refuse(
    task,
    `${shown(expression)} is ${JSON.stringify(text.slice(0, 60))}, which the command would take for an option`,
    "write something before it in that word",
  );
}

function evaluated(expression: Expression, task: FilledTask): TemplateValue {
  const value = evaluate(expression, (name) => known(name, task));
  if (value !== undefined) return value;
  const missing = namesIn(expression).find((name) => known(name, task) === undefined);
  const name = missing ? `${missing.root}.${missing.key}` : "a value";
  throw refuse(
    task,
    `${shown(expression)}: this split gives its tasks no ${name}`,
    `leave it out, split otherwise, or say what is meant then: default(${name}, 'TEXT')`,
  );
}

function known({ root, key }: Extract<Expression, { kind: "name" }>, task: FilledTask): TemplateValue | undefined {
  if (root === "item") return Object.hasOwn(task.item, key) ? task.item[key] : undefined;
  if (key === "id") return task.id;
  return key === "files" ? task.files : task.findings;
}

function shown(expression: Expression): string {
  return JSON.stringify(`\${{ ${printExpression(expression).slice(0, 80)} }}`);
}

function refuse(task: FilledTask, reason: string, remedy: string): Fault {
  return new Fault("job_file", `task ${JSON.stringify(task.id)}: ${reason}`, { remedy });
}
