import { z } from "zod";
import { key } from "./written-key.ts";
import { refusedCharacters } from "./written-text.ts";

/** The inputs of a job file as people write them: names with a default, or with what their values may be. */

const mostCharacters = 100_000;

/** Any text, the empty one too: what a value may be. */
const anyText = z.string().superRefine((written, context) => {
  const message = refusedCharacters(written, mostCharacters);
  if (message) context.addIssue({ code: "custom", message });
});
const scalar = z.union([anyText, z.number(), z.boolean()]);

const declared = z
  .strictObject({
    type: key(z.enum(["string", "number", "boolean", "choice"]), "what its values are", { is: "string" }),
    description: key(anyText, "what it is for, shown where a value is missing", "none"),
    default: key(scalar, "its value where none is given", "none, and a value must be given"),
    options: key(z.array(anyText).min(1).max(1_000), "the values of type: choice", "none"),
    untrusted: key(
      z.boolean(),
      "the value comes from outside: prompts mark it as material, and it cannot become a path, a pattern or a name",
      { is: false },
    ),
  })
  .superRefine((input, context) => {
    const refused = refusedInput(input);
    if (refused) context.addIssue({ code: "custom", ...refused });
  });

/** `name: default`, or `name: { type, description, default, options, untrusted }`. */
export const writtenInput = z.union([anyText, z.number(), z.boolean(), declared]);
export type WrittenInput = z.infer<typeof writtenInput>;

interface Declared {
  type?: string | undefined;
  default?: string | number | boolean | undefined;
  options?: readonly string[] | undefined;
}

function refusedInput({ type = "string", default: usual, options }: Declared) {
  if (type === "choice" && options === undefined)
    return { message: '"options" is missing; write the values to choose from: options: [a, b]' };
  if (type !== "choice" && options !== undefined) {
    return { message: "options belong to type: choice; write that, or leave them out", path: ["options"] };
  }
  if (usual === undefined) return undefined;
  if (type === "choice" && !options?.includes(String(usual))) {
    return { message: "the default is none of the options; write one of them", path: ["default"] };
  }
  const is = typeof usual;
  if (type === "number" && is !== "number")
    return { message: "the default is no number; write one without quotes", path: ["default"] };
  if (type === "boolean" && is !== "boolean")
    return { message: "the default is neither true nor false; write one of them without quotes", path: ["default"] };
  return undefined;
}

const mostInputs = 100;
/** Also the end of a variable's name, so no mark but these. */
const inputName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/, {
  error: ({ input }) =>
    `${JSON.stringify(String(input).slice(0, 80))} is no name of an input; use at most 64 letters, digits, _ and -, the first a letter`,
});

export const inputs = z.record(inputName, writtenInput).superRefine((written, context) => {
  for (const [name, message] of refusedNames(Object.keys(written))) {
    context.addIssue({ code: "custom", message, path: [name] });
  }
});

function refusedNames(names: readonly string[]): [name: string, message: string][] {
  const variables = new Map<string, string>();
  return names.flatMap((name, index): [string, string][] => {
    if (index >= mostInputs) return index === mostInputs ? [[name, `more than ${mostInputs} inputs; write fewer`]] : [];
    const variable = inputVariable(name);
    const first = variables.get(variable);
    variables.set(variable, name);
    if (first === undefined) return [];
    return [[name, `${name} and ${first} would both be $${variable} to a command; give one another name`]];
  });
}

/** What the value of an input is called in the environment of a command: `SHEAF_INPUT_DRY_RUN` for `dry-run`. */
export function inputVariable(name: string): string {
  return `SHEAF_INPUT_${name.toUpperCase().replaceAll("-", "_")}`;
}
