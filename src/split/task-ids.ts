import { type TaskId, taskId } from "../protocol/ids.ts";

/** Names made of people's text, cut to what a ref may hold, each one once (case does not count). */
export function freshIds(reserved: readonly string[] = []): (text: string) => TaskId {
  const taken = new Set(reserved);
  return (text) => {
    const stem =
      text
        .replace(/[^A-Za-z0-9._-]+/g, "-")
        .replace(/^[^A-Za-z0-9]+|[-.]+$/g, "")
        .slice(0, 48)
        .replace(/[-.]+$/, "") || "item";
    let name = stem;
    for (let count = 2; taken.has(name.toLowerCase()); count++) name = `${stem}-${count}`;
    taken.add(name.toLowerCase());
    return taskId.parse(name);
  };
}

/** The steps around all parts become tasks of these names. */
export const beforeId = taskId.parse("before");
export const afterId = taskId.parse("after");
export const reservedIds: readonly string[] = [beforeId, afterId];

/** Whose run plans the others: no task of a plan has its name. */
export const plannerId = taskId.parse("plan");
