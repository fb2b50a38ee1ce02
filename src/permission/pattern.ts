import type { PathPattern } from "../protocol/scope.ts";
import { fold } from "./case-fold.ts";
import { compileGlob, couldCoverBelow, covers } from "./glob.ts";
import type { Subject } from "./subject.ts";

/** A path pattern compiled once: rules outlive thousands of decisions. */
interface Compiled {
  covers(subject: Subject): boolean;
  couldCoverBelow(directory: Subject): boolean;
  /** Only a pattern that a person wrote without a wildcard names a path; a split's file list does not. */
  names(subject: Subject): boolean;
}

const cached = { asWritten: new WeakMap<PathPattern, Compiled>(), folded: new WeakMap<PathPattern, Compiled>() };

/** Patterns are immutable once used: what was compiled is kept for as long as the object lives. */
export function compilePattern(pattern: PathPattern, isFolded: boolean): Compiled {
  const cache = isFolded ? cached.folded : cached.asWritten;
  const known = cache.get(pattern);
  if (known) return known;
  const compiled = compile(pattern, isFolded);
  cache.set(pattern, compiled);
  return compiled;
}

function compile(pattern: PathPattern, isFolded: boolean): Compiled {
  if ("files" in pattern) return compileFiles(pattern.files, isFolded);
  if ("directories" in pattern) return compileDirectories(pattern.directories, isFolded);
  const glob = compileGlob(pattern.glob, isFolded);
  return {
    covers: (subject) => covers(glob, subject.segments, subject.isDirectory),
    couldCoverBelow: (directory) => couldCoverBelow(glob, directory.segments),
    names: (subject) => glob.literal === subject.path,
  };
}

function compileFiles(files: readonly string[], isFolded: boolean): Compiled {
  const paths = folded(files, isFolded);
  const parents = withParents(paths);
  return {
    covers: (subject) => paths.has(subject.path),
    couldCoverBelow: (directory) => parents.has(directory.path),
    names: () => false,
  };
}

function compileDirectories(directories: readonly string[], isFolded: boolean): Compiled {
  const roots = folded(
    directories.map((directory) => directory.replace(/\/$/, "")),
    isFolded,
  );
  const parents = withParents(roots);
  const covers = (subject: Subject) => subject.lineage.some((above) => roots.has(above));
  return {
    covers,
    couldCoverBelow: (directory) => covers(directory) || parents.has(directory.path),
    names: () => false,
  };
}

function folded(paths: readonly string[], isFolded: boolean): ReadonlySet<string> {
  return new Set(isFolded ? paths.map(fold) : paths);
}

/** Every directory above these paths, the root ("") included. */
function withParents(paths: ReadonlySet<string>): ReadonlySet<string> {
  const parents = new Set<string>();
  for (const path of paths) {
    let parent = path;
    while (parent !== "") {
      parent = parent.slice(0, Math.max(0, parent.lastIndexOf("/")));
      if (parents.has(parent)) break;
      parents.add(parent);
    }
  }
  return parents;
}
