import { basename, dirname, extname, relative, resolve } from "node:path";
import { quoted } from "../document/found.ts";
import { nearest } from "../document/nearest.ts";
import type { Place } from "../document/place.ts";
import { readDocument } from "../document/read-document.ts";
import { readText } from "../document/read-text.ts";
import { Fault } from "../protocol/failure.ts";
import { type JobFile, jobFile } from "../protocol/job-file.ts";
import { isPlainName } from "../protocol/written-text.ts";

/** A job as it was asked for, before anything it names is looked up. */
export interface JobSource {
  file: JobFile;
  /** The job's name where the file gives none; fits a handle. */
  name: string;
  /** Where relative files are looked for; absolute. */
  folder: string;
  /** Where in the file something stands, for errors: `jobs/lint.yaml:4:3`. */
  place: Place;
}

/** Reads a job file; `path` is relative to `cwd`. Throws Fault `job_file` with every problem in it. */
export async function readJobFile(path: string, { cwd }: { cwd: string }): Promise<JobSource> {
  const absolute = resolve(cwd, path);
  const file = shownPath(absolute, cwd);
  const remedy = "every key is described in docs/job-file.md";
  const text = await readText(absolute, { file, code: "job_file" });
  const { value, place } = readDocument(text, { file, schema: jobFile, code: "job_file", remedy });
  return { file: value, name: value.name ?? nameFrom(absolute), folder: dirname(absolute), place };
}

/**
 * The job of `sheaf run --codemod WORD`: a recipe by name, or a path to an ast-grep rule file (`.yml`, `.yaml`),
 * relative to `cwd`. Throws Fault `usage` for any other word.
 */
export function codemodJob(word: string, { cwd }: { cwd: string }): JobSource {
  const codemod = codemodOf(word);
  const file: JobFile = { version: 1, each: [{ codemod }] };
  return { file, name: nameFrom(word), folder: cwd, place: () => `--codemod ${word}` };
}

function codemodOf(word: string): "node-protocol" | { rule: string } {
  if (word === "node-protocol") return word;
  if (/\.ya?ml$/i.test(word)) return { rule: word };
  if (word === "replace-call") {
    throw new Fault("usage", "--codemod replace-call: it needs a pattern and a fix", {
      remedy: "write a job file with each: [{ codemod: { pattern: 'old($A)', fix: 'new($A)' } }]",
    });
  }
  const meant = nearest(word, ["node-protocol"]);
  throw new Fault("usage", `--codemod ${quoted(word)}: there is no such codemod`, {
    remedy: meant ? `did you mean ${meant}?` : "use node-protocol, or the path of an ast-grep rule file (.yml)",
  });
}

/** A path as people would type it: relative to where they are, unless it is elsewhere. */
export function shownPath(absolute: string, cwd: string): string {
  const short = relative(cwd, absolute);
  return short === "" || short.split(/[\\/]/)[0] === ".." ? absolute : short;
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
