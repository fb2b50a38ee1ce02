import { basename, dirname, extname, resolve } from "node:path";
import { quoted } from "../document/found.ts";
import { nearest } from "../document/nearest.ts";
import { readDocument } from "../document/read-document.ts";
import { readText } from "../document/read-text.ts";
import { readValue } from "../document/read-value.ts";
import { Fault } from "../protocol/failure.ts";
import { jobFile } from "../protocol/job-file.ts";
import { plainRecipe, plainRecipes } from "../protocol/job-file-codemod.ts";
import type { JobRequest } from "../protocol/job-request.ts";
import { isPlainName } from "../protocol/written-text.ts";
import { type JobSource, jobBounds, refuseTooMuch } from "./job-source.ts";
import { shownPath, textsGiven, textsOnDisk } from "./named-texts.ts";

const remedy = "every key is described in docs/job-file.md";

/** Reads a job file; `path` is relative to `cwd`. Throws Fault `job_file` with every problem in it. */
export async function readJobFile(path: string, { cwd }: { cwd: string }): Promise<JobSource> {
  const absolute = resolve(cwd, path);
  const file = shownPath(absolute, cwd);
  const text = await readText(absolute, { file, code: "job_file" });
  const { value, written, place } = readDocument(text, { file, schema: jobFile, code: "job_file", remedy });
  refuseTooMuch(written, place);
  return {
    file: value,
    written: written as Record<string, unknown>,
    name: value.name ?? nameFrom(absolute),
    texts: textsOnDisk({ folder: dirname(absolute), cwd }),
    place,
    asker: "command line",
  };
}

/**
 * A job that came as JSON with the texts of the files it names. Nothing is read from this machine's disk. Throws Fault
 * `job_file` with every problem and its path: `job.each[0].codemod`.
 */
export function readJobRequest({ job, name, files = {} }: Pick<JobRequest, "job" | "name" | "files">): JobSource {
  const options = { root: "job", schema: jobFile, code: "job_file", remedy, bounds: jobBounds } as const;
  const { value, place } = readValue(job, options);
  return {
    file: value,
    written: job,
    name: value.name ?? (name === undefined ? "job" : nameFrom(name)),
    texts: textsGiven(files),
    place,
    asker: "request",
  };
}

/** A job that is one step and no file; `said` is what asked for it, for errors. */
export function jobOfStep(
  step: Readonly<Record<string, unknown>>,
  options: { name: string; said: string; cwd: string },
): JobSource {
  return jobOf({ version: 1, each: [step] }, options);
}

/** A job that is no file, in the form a file has. Files it names are relative to `cwd`. Throws Fault `usage`. */
export function jobOf(
  written: Readonly<Record<string, unknown>>,
  { name, said, cwd }: { name: string; said: string; cwd: string },
): JobSource {
  const checked = jobFile.safeParse(written);
  if (!checked.success) {
    const message = checked.error.issues[0]?.message ?? "not valid";
    throw new Fault("usage", `${said}: ${message}`, { remedy: "see sheaf run --help" });
  }
  const texts = textsOnDisk({ folder: cwd, cwd });
  return {
    ...{ file: checked.data, written, texts },
    name: checked.data.name ?? nameFrom(name),
    place: () => said,
    asker: "command line",
  };
}

/**
 * The job of `sheaf run --codemod WORD`: a recipe by name, or a path to an ast-grep rule file (`.yml`, `.yaml`),
 * relative to `cwd`. Throws Fault `usage` for any other word.
 */
export function codemodJob(word: string, { cwd }: { cwd: string }): JobSource {
  return jobOfStep({ codemod: codemodOf(word) }, { name: word, said: `--codemod ${word}`, cwd });
}

function codemodOf(word: string): string | { rule: string } {
  const known = plainRecipe.safeParse(word);
  if (known.success) return known.data;
  if (/\.ya?ml$/i.test(word)) return { rule: word };
  if (["replace-call", "rename-symbol", "move-file"].includes(word)) {
    throw new Fault("usage", `--codemod ${word}: it needs to know more than its name`, {
      remedy: `write a job file; docs/recipes/${word}.md shows one`,
    });
  }
  const meant = nearest(word, plainRecipes);
  const others = `use ${plainRecipes.join(", ")}, or the path of an ast-grep rule file (.yml)`;
  throw new Fault("usage", `--codemod ${quoted(word)}: there is no such codemod`, {
    remedy: meant ? `did you mean ${meant}?` : others,
  });
}

function nameFrom(path: string): string {
  const plain = basename(path, extname(path))
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .replace(/[^A-Za-z0-9]+/g, (mark) => (/^[._]$/.test(mark) ? mark : "-"))
    .slice(0, 64)
    .replace(/^[._-]+|[._-]+$/g, "");
  return isPlainName(plain) ? plain : "job";
}
