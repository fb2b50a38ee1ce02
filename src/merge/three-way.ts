import { Fault } from "../protocol/failure.ts";
import { type RawPath, rawOf } from "../workspace/raw-path.ts";
import type { Repository } from "../workspace/repository.ts";
import { commitTree } from "../workspace/tree.ts";

/**
 * One three-way merge of trees by `git merge-tree`: no checkout, no index, no driver. Attributes and configuration
 * that could choose another merge (union, ours, a command, a marker size) have no say, so that a repository cannot
 * decide how its own review goes; line endings and white space are kept byte for byte.
 */
export type ThreeWay = { isClean: true; tree: string } | (Collision & { isClean: false });

export interface Collision {
  /** With markers in the files that have them; the labels are the two commits. */
  tree: string;
  ours: string;
  theirs: string;
  stages: readonly Stage[];
  /** What git says happened: its short type (`CONFLICT (contents)`) and the paths concerned, raw. */
  notes: readonly Note[];
}

/** `stage`: 1 the common base, 2 ours, 3 theirs. */
export interface Stage {
  path: RawPath;
  mode: string;
  oid: string;
  stage: number;
}

export interface Note {
  paths: readonly RawPath[];
  type: string;
}

const settings = [
  "core.bare=true",
  "merge.directoryRenames=false",
  "merge.renames=true",
  "merge.renameLimit=7000",
  "merge.renormalize=false",
  "merge.default=text",
  "merge.conflictStyle=zdiff3",
  "diff.algorithm=histogram",
].flatMap((setting) => ["-c", setting]);

/** Newer gits take attributes in a bare repository from a tree: this one has none. */
const emptyTrees = {
  sha1: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
  sha256: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
};

/** `base` is a commit; `ours` and `theirs` are trees. A merge-tree that fails otherwise throws Fault `git`. */
export async function mergeTrees(
  repository: Repository,
  sides: { base: string; ours: string; theirs: string },
): Promise<ThreeWay> {
  const commit = (tree: string, message: string) =>
    commitTree(repository, { tree, parents: [sides.base], message, at: 0 });
  const [ours, theirs] = await Promise.all([commit(sides.ours, "ours"), commit(sides.theirs, "theirs")]);
  const attributes = `attr.tree=${emptyTrees[repository.objectFormat]}`;
  const output = await repository.git(
    [...settings, "-c", attributes, "merge-tree", "--write-tree", "--messages", "-z", ours, theirs],
    {
      gitDir: repository.gitDir,
      accept: [0, 1],
    },
  );
  const parsed = parse(output.stdout.toString("latin1"));
  if (output.code === 0) return { isClean: true, tree: parsed.tree };
  return { isClean: false, ours, theirs, ...parsed };
}

/** `tree NUL (mode SP oid SP stage TAB path NUL)* NUL (count NUL path NUL ... type NUL text NUL)*` */
function parse(text: string): { tree: string; stages: Stage[]; notes: Note[] } {
  const fields = text.split("\0");
  const tree = fields[0] ?? "";
  if (!/^[0-9a-f]{40,64}$/.test(tree)) throw new Fault("git", "git merge-tree printed no tree");
  const stages: Stage[] = [];
  let at = 1;
  for (; fields[at]; at++) stages.push(parseStage(fields[at] ?? ""));
  const notes: Note[] = [];
  for (at++; fields[at]; ) {
    const count = Number(fields[at]);
    notes.push({ paths: fields.slice(at + 1, at + 1 + count).map(rawOf), type: fields[at + 1 + count] ?? "" });
    at += count + 3;
  }
  return { tree, stages, notes };
}

function parseStage(field: string): Stage {
  const shape = /^(\d+) ([0-9a-f]+) ([123])\t([\s\S]+)$/.exec(field);
  const [, mode, oid, stage, path] = shape ?? [];
  if (!mode || !oid || !stage || !path) throw new Fault("git", `git merge-tree printed ${JSON.stringify(field)}`);
  return { path: rawOf(path), mode, oid, stage: Number(stage) };
}
