import type { z } from "zod";
import { quoted } from "../document/found.ts";
import { nearest } from "../document/nearest.ts";
import type { Place } from "../document/place.ts";
import { Fault } from "../protocol/failure.ts";
import type { JobSpec } from "../protocol/job.ts";
import {
  type Expression,
  namesIn,
  parseTemplate,
  printExpression,
  printTemplate,
  type Template,
} from "../protocol/template.ts";
import { asText, evaluate } from "./evaluate-template.ts";
import { markUntrusted } from "./mark-untrusted.ts";

/**
 * Fills inputs into the texts of a job. A value is never read as a template again: what is left to fill in per task
 * is printed anew, with every value as a text in it. A value from outside gets into prompts, marked, and into the
 * words of commands that meet no shell; it never becomes a path, a pattern, a name or instructions.
 */
export interface Filler {
  /** A text that is complete then; `schema` is what it must be. */
  whole(written: string, path: JobPath, schema?: z.ZodType<string>): string;
  /** A text for agents that knows inputs only; values from outside are marked in it. */
  goal(written: string, path: JobPath): string;
  /** A prompt: still a template, for `fillStep`. */
  prompt(written: string, path: JobPath, within: Within): string;
  /** A word of a command: still a template, for `fillStep`. */
  word(written: string, path: JobPath, within: Within): string;
}

export type JobPath = readonly (string | number)[];

/** Steps before and after all tasks have no item. */
export interface Within {
  hasItem: boolean;
}

type Inputs = JobSpec["inputs"];

/** All that is filled in, over the whole job: the spec goes into a log. */
const mostCharacters = 16_000_000;

export function inputFiller(inputs: Inputs, place: Place): Filler {
  let left = mostCharacters;
  const fill = (written: string, path: JobPath, within: Within | undefined, filled: Filled): Template => {
    const template = parsed(written, place(path));
    return template.map((part) => {
      if (part.kind === "text") return part;
      const refused = refusedNames(part.expression, inputs, within);
      if (refused) throw refuse(place(path), part.expression, refused);
      const expression = withInputs(part.expression, inputs, filled, (reason) =>
        refuse(place(path), part.expression, reason),
      );
      left -= expression.kind === "text" ? expression.value.length : 0;
      if (left < 0)
        throw refuse(place(path), part.expression, {
          reason: `the values filled in up to here come to more than ${mostCharacters} characters`,
          remedy: "use fewer of them",
        });
      return { kind: "filled", expression };
    });
  };
  return {
    whole(written, path, schema) {
      if (!written.includes("${{")) return written;
      const text = textOf(fill(written, path, undefined, forbidden));
      const checked = schema?.safeParse(text);
      const message = checked?.error?.issues[0]?.message;
      if (message !== undefined)
        throw new Fault("job_file", `${place(path)}: with its inputs this is ${quoted(text)}: ${message}`);
      return text;
    },
    goal: (written, path) => (written.includes("${{") ? textOf(fill(written, path, undefined, marked)) : written),
    prompt: (written, path, within) => printed(written, () => fill(written, path, within, marked)),
    word(written, path, within) {
      return printed(written, () => {
        const template = fill(written, path, within, plain);
        refuseOption(written, template, inputs, place(path));
        return template;
      });
    },
  };
}

/** A text without templates is most texts, and is its own print. */
function printed(written: string, fill: () => Template): string {
  return written.includes("${{") ? printTemplate(fill()) : written;
}

function parsed(written: string, place: string): Template {
  const read = parseTemplate(written);
  if ("template" in read) return read.template;
  throw new Fault("job_file", `${place}: ${read.problem}`);
}

function textOf(template: Template): string {
  return template
    .map((part) => (part.kind === "text" ? part.text : part.expression.kind === "text" ? part.expression.value : ""))
    .join("");
}

interface Refusal {
  reason: string;
  remedy: string;
}

function refuse(place: string, expression: Expression, { reason, remedy }: Refusal): Fault {
  return new Fault("job_file", `${place}: ${quoted(`\${{ ${printExpression(expression)} }}`)}: ${reason}`, { remedy });
}

/** `within` is absent where only inputs can be filled in. */
function refusedNames(expression: Expression, inputs: Inputs, within: Within | undefined): Refusal | undefined {
  for (const { root, key } of namesIn(expression)) {
    if (root === "inputs" && !Object.hasOwn(inputs, key)) return unknownInput(key, Object.keys(inputs));
    if (root !== "inputs" && !within)
      return {
        reason: `${root}.${key} is known in a step's prompt and in the words of its run only`,
        remedy: "write the value itself, or use an input",
      };
    if (root === "item" && !within?.hasItem)
      return { reason: "steps before and after all tasks have no item", remedy: "use it in each, or leave it out" };
  }
  return undefined;
}

function unknownInput(name: string, known: readonly string[]): Refusal {
  const meant = nearest(name, known);
  const others =
    known.length > 0 ? `the inputs here are ${known.join(", ")}` : `declare it: inputs: { ${name}: VALUE }`;
  return { reason: `there is no input ${quoted(name)}`, remedy: meant ? `did you mean inputs.${meant}?` : others };
}

/** What becomes of a text that holds a value from outside: another text, or the reason why it cannot stand there. */
type Filled = (text: string, names: readonly string[]) => string | Refusal;

const plain: Filled = (text) => text;

const forbidden: Filled = (_, [name]) => ({
  reason: `the input ${name} is untrusted: it cannot become a path, a pattern, a name or instructions`,
  remedy: "use it in a step's prompt, or as a word of a run list",
});

const marked: Filled = (text, names) => `\n${markUntrusted(text, `input ${names.join(", ")}`)}\n`;

function withInputs(
  expression: Expression,
  inputs: Inputs,
  filled: Filled,
  fault: (reason: Refusal) => Fault,
): Expression {
  const names = namesIn(expression);
  const untrusted = [
    ...new Set(names.filter(({ root, key }) => root === "inputs" && inputs[key]?.is_untrusted).map(({ key }) => key)),
  ];
  const isComplete = names.every(({ root }) => root === "inputs");
  if (!isComplete) {
    if (untrusted.length === 0) return replaced(expression, inputs);
    throw fault({
      reason: `the input ${untrusted[0]} is untrusted: it cannot be mixed with what is known per task`,
      remedy: "write a template of its own for it",
    });
  }
  const value = evaluate(expression, ({ key }) => inputs[key]?.value) ?? "";
  const text = asText(value);
  const safe = untrusted.length === 0 ? text : filled(text, untrusted);
  if (typeof safe !== "string") throw fault(safe);
  return { kind: "text", value: safe };
}

function replaced(expression: Expression, inputs: Inputs): Expression {
  if (expression.kind === "call")
    return { ...expression, given: expression.given.map((given) => replaced(given, inputs)) };
  if (expression.kind === "text" || expression.root !== "inputs") return expression;
  return { kind: "text", value: inputs[expression.key]?.value ?? "" };
}

/** A value from outside that begins with a hyphen would be an option of the program. */
function refuseOption(written: string, template: Template, inputs: Inputs, place: string): void {
  const [first] = template;
  if (first?.kind !== "filled" || !textOf(template).startsWith("-")) return;
  const untrusted = Object.keys(inputs).filter(
    (name) => inputs[name]?.is_untrusted && written.includes(`inputs.${name}`),
  );
  if (untrusted.length === 0) return;
  throw new Fault(
    "usage",
    `${place}: the untrusted input ${untrusted[0]} begins with a hyphen, and the command would take it for an option`,
    {
      remedy: `write something before it in that word, such as --title=\${{ inputs.${untrusted[0]} }}`,
    },
  );
}
