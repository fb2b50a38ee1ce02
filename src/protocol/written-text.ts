import { z } from "zod";
import { notBuilt } from "./not-built.ts";

/** Texts of a job file that become names, commands and paths: what could not be one is refused when it is read. */

/** A text that says something: no NUL, no half character, no template. */
export function text(options: { most: number }) {
  return z.string().superRefine((written, context) => {
    const message = refusedText(written, options.most);
    if (message) context.addIssue({ code: "custom", message });
  });
}

function refusedText(written: string, most: number): string | undefined {
  if (written.trim() === "") return "the text is empty; write something, or remove it";
  if (written.length > most) return `the text has ${written.length} characters, at most ${most} are taken; shorten it`;
  if (written.includes("\0")) return "the text holds a NUL character; remove it";
  if (!written.isWellFormed()) return "the text holds half a character (a lone surrogate); remove it";
  return written.includes("${{") ? `"\${{ }}" ${notBuilt("write the value itself")}` : undefined;
}

/** A file, directory or gitignore-style glob of the repository, relative to its root. */
export const repositoryPath = text({ most: 4_096 }).superRefine((written, context) => {
  const message = refusedPath(written);
  if (message) context.addIssue({ code: "custom", message });
});

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

/** A name that is safe in a ref, a file name and a handle such as `name-7`. */
export const plainName = z.string().superRefine((written, context) => {
  if (isPlainName(written)) return;
  const message = `${JSON.stringify(written.slice(0, 80))} is no name; use at most 64 letters, digits and single . _ - between them`;
  context.addIssue({ code: "custom", message });
});

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
