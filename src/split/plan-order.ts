/** Of a plan, or of a lock: what stands in an order. */
interface Ordered {
  id: string;
  needs?: readonly string[] | undefined;
}

/** What is wrong with the names of tasks and with what they need, each problem with its place. Pure. */
export function orderProblems(tasks: readonly Ordered[]): string[] {
  const known = new Set<string>(tasks.map(({ id }) => id));
  const problems = [...repeated(tasks), ...tasks.flatMap((task, index) => strangers(task, index, known))];
  return problems.length > 0 ? problems : circles(tasks);
}

/** Case does not count: tasks become refs, and refs become files. */
function repeated(tasks: readonly Ordered[]): string[] {
  const first = new Map<string, number>();
  return tasks.flatMap(({ id }, index) => {
    const before = first.get(id.toLowerCase());
    first.set(id.toLowerCase(), before ?? index);
    if (before === undefined) return [];
    return [`tasks[${index}].id: ${JSON.stringify(id)} is the id of tasks[${before}] too (case does not count)`];
  });
}

function strangers({ id, needs = [] }: Ordered, index: number, known: ReadonlySet<string>): string[] {
  return needs.flatMap((need, at) => {
    const place = `tasks[${index}].needs[${at}]`;
    if (need === id) return [`${place}: the task needs itself; leave it out`];
    return known.has(need) ? [] : [`${place}: there is no task ${JSON.stringify(need)}`];
  });
}

function circles(tasks: readonly Ordered[]): string[] {
  const ordered = new Set(inNeededOrder(tasks));
  const left = tasks.filter((task) => !ordered.has(task)).map(({ id }) => id);
  if (left.length === 0) return [];
  return [`tasks: these need each other in a circle, or need one of it: ${left.slice(0, 20).join(", ")}`];
}

/** Each after all it needs; without those that are in a circle, or need one of it. */
export function inNeededOrder<Task extends Ordered>(tasks: readonly Task[]): Task[] {
  const left = new Map(tasks.map((task) => [task, new Set<string>(task.needs)]));
  const ordered: Task[] = [];
  for (let ready = readyIn(left); ready.length > 0; ready = readyIn(left)) {
    for (const task of ready) left.delete(task);
    for (const needs of left.values()) for (const { id } of ready) needs.delete(id);
    ordered.push(...ready);
  }
  return ordered;
}

function readyIn<Task extends Ordered>(left: ReadonlyMap<Task, ReadonlySet<string>>): Task[] {
  return [...left].flatMap(([task, needs]) => (needs.size === 0 ? [task] : []));
}
