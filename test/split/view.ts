import { compilePattern } from "../../src/permission/pattern.ts";
import { subjectOf } from "../../src/permission/subject.ts";
import type { JobSpec } from "../../src/protocol/job.ts";
import type { Split } from "../../src/protocol/split.ts";
import type { Step } from "../../src/protocol/step.ts";
import type { Task } from "../../src/protocol/task.ts";
import type { SplitView } from "../../src/split/split-view.ts";
import { emptySpec } from "../support/job.ts";

/** A step for any file; its prompt is a template where a test wants one. */
export function promptStep(prompt = "do it", more: Partial<Step> = {}): Step {
  const model = { provider: "scripted", file: "x.yaml", turns: [] } as const;
  return { kind: "agent", agent: { name: "x", instructions: "", model }, prompt, ...more } as Step;
}

export function jobOf(split: Split, more: Partial<JobSpec> = {}): JobSpec {
  return { ...emptySpec("job"), split, each: [promptStep()], ...more };
}

export function viewOf(files: readonly string[], more: Partial<SplitView> = {}): SplitView {
  return {
    files: [...files].sort(),
    unsplit: [],
    threads: 2,
    covers: () => true,
    matches: (pattern, path) => compilePattern(pattern, false).covers(subjectOf(path, { isCaseInsensitive: false })),
    ...more,
  };
}

/** Files by task. */
export function filesOf(tasks: readonly Task[]): Record<string, string[]> {
  return Object.fromEntries(tasks.map((task) => [task.id, task.files]));
}

/** The tasks whose write set covers a path. */
export function writersOf(path: string, tasks: readonly Task[], view: SplitView): string[] {
  return tasks.filter((task) => task.writes.some((pattern) => view.matches(pattern, path))).map((task) => task.id);
}
