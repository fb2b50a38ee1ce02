import { compileGlob, matches } from "../permission/glob.ts";
import { subjectOf } from "../permission/subject.ts";
import { Fault } from "../protocol/failure.ts";
import { expandBraces } from "../tools/braces.ts";

/** What one manifest says. */
export interface Manifest {
  /** Is the folder it is in a package of its own? */
  isPackage: boolean;
  name?: string;
  /** Of a workspace: is that folder, relative to its own, one of its members? */
  hasMember?(folder: string): boolean;
  /** Folders, relative to its own, that belong to the workspace because this package is built with them. */
  links?: string[];
}

/** One way of saying what the packages are. */
export interface Layout {
  isManifest(path: string): boolean;
  /** Throws Fault `job_file` only where the repository's own manifest cannot be read. */
  read(path: string, text: string): Manifest;
}

/**
 * Folders by the globs of a workspace: a star is one name, two are any number, `!` takes away what came before, and
 * braces stand for alternatives. What is no glob matches nothing.
 */
export function memberTest(globs: readonly string[], excluded: readonly string[] = []): (folder: string) => boolean {
  const tests = [...globs, ...excluded.map((glob) => `!${glob}`)].flatMap((written) => {
    const isTaken = written.startsWith("!");
    const glob = isTaken ? written.slice(1) : written;
    return (expandBraces(glob) ?? [glob]).map((one) => ({ isTaken, matches: globTest(one) }));
  });
  return (folder) => {
    const isIn = tests.some((test) => !test.isTaken && test.matches(folder));
    return isIn && !tests.some((test) => test.isTaken && test.matches(folder));
  };
}

function globTest(written: string): (folder: string) => boolean {
  const plain = written
    .replaceAll("\\", "/")
    .replace(/^(\.\/|\/)+/, "")
    .replace(/\/+$/, "");
  // In these globs `a/**` is `a` and all below it.
  const forms = plain.endsWith("/**") ? [plain, plain.slice(0, -3)] : [plain];
  const globs = forms.flatMap((form) => compiled(form));
  return (folder) => {
    const { segments } = subjectOf(folder, { isCaseInsensitive: false });
    return globs.some((glob) => matches(glob, segments));
  };
}

function compiled(glob: string) {
  try {
    return [compileGlob(`/${glob}`, false)];
  } catch {
    return [];
  }
}

/**
 * Reads a manifest with `parse`. A broken one makes its folder a package without a name; the repository's own is
 * refused, since then nobody knows what the packages are.
 */
export function readManifest<Value>(path: string, parse: () => Value): Value | undefined {
  try {
    return parse();
  } catch (cause) {
    if (path.includes("/")) return undefined;
    const reason = cause instanceof Error ? (cause.message.split("\n", 1)[0] ?? "") : String(cause);
    const said = reason.startsWith(path) ? reason : `${path}: ${reason}`;
    throw new Fault("job_file", `split: by: workspace cannot read the manifest ${said}`, {
      remedy: "correct and commit it, or split by directory",
      cause,
    });
  }
}

export function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}

export function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

export function text(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
}
