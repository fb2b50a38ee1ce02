import { z } from "zod";
import { parseTemplate, templateOpening } from "./template.ts";

/** Texts of a job file that become names, commands and paths: what could not be one is refused when it is read. */

/** A text that says something: no NUL, no half character, no template. */
export function text(options: { most: number }) {
  return z.string().superRefine((written, context) => {
    const message = refusedText(written, options.most) ?? refusedTemplate(written);
    if (message) context.addIssue({ code: "custom", message });
  });
}

const notHere =
  "write the value itself; templates are read in prompts, in the words of a run list and in paths and patterns";

function refusedTemplate(written: string): string | undefined {
  return written.includes(templateOpening) ? `"\${{ }}" is not read here; ${notHere}` : undefined;
}

/** A shell command. What a template would fill in is in its environment: a value must never become shell source. */
export const shellCommand = z.string().superRefine((written, context) => {
  const inShell = `"\${{ }}" is not read in a shell command; use "$SHEAF_ITEM_PATH", "$SHEAF_TASK_FILES" or "$SHEAF_INPUT_NAME", or write a step's run as a list of words`;
  const message = refusedText(written, 16_000) ?? (written.includes(templateOpening) ? inShell : undefined);
  if (message) context.addIssue({ code: "custom", message });
});

/**
 * A text in which templates are filled in. `whole` is the schema of what must come out: a text without templates is
 * checked by it at once, one with templates when they are filled in.
 */
export function templated(options: { most: number; whole?: z.ZodType<string> }) {
  return z.string().superRefine((written, context) => {
    const message = refusedText(written, options.most) ?? templateProblem(written);
    if (message) context.addIssue({ code: "custom", message });
    else if (!written.includes(templateOpening)) addIssuesOf(options.whole, written, context);
  });
}

/** What is wrong with the templates of a text, if anything. */
export function templateProblem(written: string): string | undefined {
  const read = parseTemplate(written);
  return "problem" in read ? read.problem : undefined;
}

function addIssuesOf(schema: z.ZodType<string> | undefined, written: string, context: z.RefinementCtx): void {
  const checked = schema?.safeParse(written);
  for (const issue of checked?.error?.issues ?? []) context.addIssue({ code: "custom", message: issue.message });
}

/** Why it is no text that can be passed on: empty, too long, or with characters that no file and no process takes. */
function refusedText(written: string, most: number): string | undefined {
  if (written.trim() === "") return "the text is empty; write something, or remove it";
  return refusedCharacters(written, most);
}

/** The same for a text that may be empty. */
export function refusedCharacters(written: string, most: number): string | undefined {
  if (written.length > most) return `the text has ${written.length} characters, at most ${most} are taken; shorten it`;
  if (written.includes("\0")) return "the text holds a NUL character; remove it";
  return written.isWellFormed() ? undefined : "the text holds half a character (a lone surrogate); remove it";
}

/** A file, directory or gitignore-style glob of the repository, relative to its root. */
export const repositoryPath = text({ most: 4_096 }).superRefine((written, context) => {
  const message = refusedPath(written);
  if (message) context.addIssue({ code: "custom", message });
});

/** The same, in which inputs are filled in. */
export const templatedPath = templated({ most: 4_096, whole: repositoryPath });

/** One file of the repository, by its exact path: `[`, `*` and `?` are part of its name. */
export const repositoryFile = repositoryPath.superRefine((written, context) => {
  const message = refusedFile(written);
  if (message) context.addIssue({ code: "custom", message });
});

export const templatedFile = templated({ most: 4_096, whole: repositoryFile });

function refusedFile(written: string): string | undefined {
  if (written.startsWith("/")) return "a file is named from the repository root; leave out the / before it";
  return written.endsWith("/") ? "a file is meant here, not a folder; leave out the / at its end" : undefined;
}

function refusedPath(written: string): string | undefined {
  if (written.startsWith("!"))
    return "a path cannot be negated; write what is meant, and use permissions.deny for the rest";
  if (/^([A-Za-z]:[\\/]|~|\/\/|\/$|\\\\)/.test(written))
    return "a path is relative to the repository root; leave out the part above it";
  const parts = written.replace(/^\/|\/$/g, "").split("/");
  if (parts.includes("..")) return 'a path cannot hold ".."; write it relative to the repository root';
  if (parts.includes(".")) return 'a path cannot hold a "." segment; leave out the "./"';
  return parts.includes("") ? "a path cannot hold an empty segment; write one / between names" : undefined;
}

/** A JavaScript regular expression as Sheaf compiles it: flags `mu`. */
export const regex = text({ most: 4_096 }).superRefine((written, context) => {
  const message = refusedRegex(written);
  if (message) context.addIssue({ code: "custom", message });
});

export const templatedRegex = templated({ most: 4_096, whole: regex });

function refusedRegex(written: string): string | undefined {
  try {
    new RegExp(written, "mu");
    return undefined;
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message.replace(/^.*: /s, "") : "it does not compile";
    return `not a regular expression of JavaScript (flags mu): ${reason}; escape with \\ what stands for itself`;
  }
}

/** A name that is safe in a ref, a file name and a handle such as `name-7`. */
export const plainName = z
  .string()
  .superRefine((written, context) => {
    if (isPlainName(written)) return;
    const message = `${JSON.stringify(written.slice(0, 80))} is no name; use at most 64 letters, digits and single . _ - between them`;
    context.addIssue({ code: "custom", message });
  })
  .meta({ pattern: "^[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*$", maxLength: 64 });

export function isPlainName(written: string): boolean {
  return written.length <= 64 && /^[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*$/.test(written) && !/\.lock$/i.test(written);
}

/** A git branch name without `refs/heads/` (git-check-ref-format, with nothing a shell would need quotes for). */
export const branchName = text({ most: 200 }).superRefine((written, context) => {
  const isGood =
    /^[A-Za-z0-9_][\p{L}\p{N}_.+@=#/-]*$/u.test(written) &&
    !/\.\.|\/\/|\/\.|\/-|@\{|\.lock(\/|$)|[/.]$/.test(written) &&
    !written.startsWith("refs/") &&
    written !== "HEAD";
  if (isGood) return;
  const message = `${JSON.stringify(written.slice(0, 80))} is no branch name; write one such as sheaf/node-protocol, without refs/heads/`;
  context.addIssue({ code: "custom", message });
});

export const templatedBranch = templated({ most: 200, whole: branchName });
