/** Which parts of a job file go together: a goal, the steps of every part, tasks, and how they are split. */

interface Refused {
  message: string;
  path?: (string | number)[];
}

type Written = Partial<Record<"before" | "each" | "after" | "split" | "prompt", unknown>> & {
  tasks?: { id: string }[] | undefined;
};

/** What goes together wrongly, with the place of each. */
export function refusedParts(job: Written): Refused[] {
  const { before, each, after, tasks } = job;
  const refused: Refused[] = [];
  if ([before, each, after, tasks, job.prompt].every((part) => part === undefined)) {
    refused.push({
      message: 'the job does nothing; write "prompt" (a goal), "each" (steps for every part) or "tasks"',
    });
  } else if (tasks !== undefined && each !== undefined) {
    refused.push({ message: "each and tasks cannot both be there; write one of them", path: ["tasks"] });
  } else {
    const message = refusedSplit(job);
    if (message !== undefined) refused.push({ message, path: ["split"] });
  }
  return [...refused, ...refusedIds(job)];
}

function refusedSplit({ split, each, tasks, prompt }: Written): string | undefined {
  if (split === undefined) return undefined;
  if (tasks !== undefined) return "split belongs to each; tasks say their own files";
  if (isByPlanner(split)) {
    if (prompt === undefined) return 'a planner needs a goal; write prompt: "what the whole job is for"';
    return each === undefined
      ? undefined
      : "a planner writes what each task is asked; leave out each, or split otherwise";
  }
  if (each !== undefined) return undefined;
  return prompt === undefined
    ? "split belongs to each; write each, or leave it out"
    : "split belongs to each; write each: [{ prompt: ... }] for its tasks, or split: planner";
}

/** Whether a planner makes the tasks. */
export function isPlanned({ split, each, tasks, prompt }: Written): boolean {
  return (
    prompt !== undefined && each === undefined && tasks === undefined && (split === undefined || isByPlanner(split))
  );
}

function isByPlanner(split: unknown): boolean {
  return (
    split === "planner" || (typeof split === "object" && split !== null && "by" in split && split.by === "planner")
  );
}

/** The steps before and after are tasks too, of those names. */
function refusedIds({ tasks = [], before, after }: Written): Refused[] {
  const taken = new Map<string, string>([
    ...(before ? [["before", "the steps before all tasks have this id; give it another one"] as const] : []),
    ...(after ? [["after", "the steps after all tasks have this id; give it another one"] as const] : []),
  ]);
  return tasks.flatMap(({ id }, index): Refused[] => {
    const message = taken.get(id.toLowerCase());
    taken.set(id.toLowerCase(), "a task before this one has the same id (case does not count); give each its own");
    return message === undefined ? [] : [{ message, path: ["tasks", index, "id"] }];
  });
}
