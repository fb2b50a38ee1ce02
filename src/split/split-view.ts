import type { Finding } from "../protocol/part.ts";
import type { PathPattern } from "../protocol/scope.ts";
import type { Step } from "../protocol/step.ts";
import type { Task, Unsplit } from "../protocol/task.ts";

/** What a split gets to see of the base, looked up beforehand: nothing in this folder reads a disk or starts anything. */
export interface SplitView {
  /** Files at the base that an agent may be given, sorted, as text. */
  files: readonly string[];
  /** Files that cannot be given to anyone, with the reason. */
  unsplit: readonly Unsplit[];
  threads: number;
  /** May a recipe of these steps have something to do in that file? True for steps that are no recipe. */
  covers(steps: readonly Step[], path: string): boolean;
  /** Does a gitignore-style pattern match? */
  matches(pattern: PathPattern, path: string): boolean;
  /** Of the disk that work is done on. */
  isCaseInsensitive?: boolean;
  /** Did the split's `match` choose that file? All of them where it is absent. */
  isChosen?(path: string): boolean;
  /** Texts of the files that `isManifest` names. For `workspace`. */
  manifests?: ReadonlyMap<string, string>;
  /** For `owner`. */
  codeowners?: { path: string; text: string };
  /** What the named check finds at the base. For `findings`. */
  findings?: readonly Finding[];
}

export interface Plan {
  strategy: string;
  tasks: Task[];
  unsplit: Unsplit[];
}

/** A task before it has its place and its words. */
export type Part = Omit<Task, "ordinal" | "needs"> & { needs?: Task["needs"] };

export interface Cut {
  parts: Part[];
  /** What this split could give to nobody. */
  unsplit: Unsplit[];
}
