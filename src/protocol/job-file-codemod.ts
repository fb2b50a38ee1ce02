import { z } from "zod";
import { writtenLanguage } from "./language.ts";
import { choice } from "./not-built.ts";
import { key } from "./written-key.ts";
import { refusedCharacters, templated, templatedFile, templateProblem, text } from "./written-text.ts";

/** A codemod of a job file as people write it. */

/** Recipes that need no parameters: a codemod by its name alone, or `model: recipe/NAME`. */
export const plainRecipes = ["node-protocol", "no-var", "import-type", "require-to-import"] as const;
export type PlainRecipe = (typeof plainRecipes)[number];
export const plainRecipe = choice(plainRecipes, {
  "replace-call": "needs its pattern and fix; write codemod: { pattern: 'old($A)', fix: 'new($A)' }",
  "rename-symbol": "needs to know what; write codemod: { rename-symbol: { symbol: old, to: new, file: src/a.ts } }",
  "move-file": "needs to know what; write codemod: { move-file: { from: src/a.ts, to: src/b.ts } }",
  rule: "needs its file; write codemod: { rule: FILE }",
});

const tsconfig = key(templatedFile, "the tsconfig.json to start from", "the nearest above the file");

const identifier = String.raw`[\p{ID_Start}$_#][\p{ID_Continue}$\u200c\u200d]*`;
const symbolForm = new RegExp(`^${identifier}(?:\\.${identifier})*$`, "u");

/** An identifier, or several with dots between: `Class.member`. */
export const symbolText = z
  .string()
  .regex(symbolForm, { error: "not a name of the language; write one such as getUser, or Class.member" });

const symbolName = templated({ most: 1_000, whole: symbolText });

const renameSymbol = z.strictObject({
  symbol: symbolName.meta({ description: "its name where it is declared, such as getUser or Class.member; required" }),
  to: symbolName.meta({ description: "its new name; required" }),
  file: templatedFile.meta({ description: "the file that declares it; required" }),
  tsconfig,
});

const moveFile = z.strictObject({
  from: templatedFile.meta({ description: "the file; required" }),
  to: templatedFile.meta({ description: "where it is to be; required" }),
  tsconfig,
});

/** It may be empty: what matches is then taken out. */
const fix = z.string().superRefine((written, context) => {
  const message = refusedCharacters(written, 64_000) ?? templateProblem(written);
  if (message) context.addIssue({ code: "custom", message });
});

const mapping = z
  .strictObject({
    rule: key(text({ most: 4_096 }), "an ast-grep YAML rule file, relative to the job file", "none"),
    pattern: key(templated({ most: 64_000 }), "what to replace: an ast-grep pattern", "none"),
    fix: key(fix, "what to write instead; may use what the pattern binds", "none"),
    language: key(writtenLanguage, "only files of this language", "every language the pattern is code of"),
    "rename-symbol": key(
      renameSymbol,
      "renames a symbol, its callers included, by the TypeScript language service",
      "none",
    ),
    "move-file": key(moveFile, "moves a file and mends what imports it, by the TypeScript language service", "none"),
  })
  .superRefine((written, context) => {
    const message = refusedCodemod(written);
    if (message) context.addIssue({ code: "custom", message });
  });

export const codemod = z.union([plainRecipe.meta({ description: "a codemod that ships" }), mapping]);
export type WrittenCodemod = z.infer<typeof codemod>;

const kinds = ["rule", "rename-symbol", "move-file"] as const;

function refusedCodemod(written: Partial<Record<(typeof kinds)[number] | "pattern" | "fix" | "language", unknown>>) {
  const { pattern, fix, language } = written;
  const given = kinds.filter((kind) => written[kind] !== undefined);
  const [kind] = given;
  if (given.length > 1) return `a codemod is one of ${given.join(" and ")}; write a step for each`;
  if (kind !== undefined) {
    if (pattern === undefined && fix === undefined && language === undefined) return undefined;
    return kind === "rule"
      ? "a rule file says its own pattern, fix and language; leave those out"
      : `${kind} needs no pattern, fix or language; leave those out`;
  }
  if (pattern !== undefined && fix !== undefined) return undefined;
  if (pattern !== undefined) return '"fix" is missing; write what to put in the place of the pattern';
  if (fix !== undefined) return '"pattern" is missing; write what to replace';
  return "the codemod says nothing; write a name, { rule: FILE }, { pattern, fix, language }, { rename-symbol } or { move-file }";
}

/** Whether a recipe of that name ships and needs no parameters. */
export function isPlainRecipe(name: string): name is PlainRecipe {
  return (plainRecipes as readonly string[]).includes(name);
}
