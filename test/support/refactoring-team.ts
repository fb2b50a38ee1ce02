import type { Behave, Reply } from "./messages/reply.ts";

/**
 * A model that plans a job of so many parts and then does each of them: it lists, reads and edits one file of its part.
 * It knows who it is by nothing but what it is told.
 */
export function refactoringTeam(parts: number): Behave {
  const plan = {
    summary: "Each part raises its own limit.",
    tasks: Array.from({ length: parts }, (_, index) => ({
      id: partName(index),
      title: `Raise the limit of ${partName(index)}`,
      goal: `Set the limit of ${partName(index)}/limit.js to 20.`,
      writes: [`${partName(index)}/**`],
      reads: [`${partName(index)}/limit.js`],
    })),
  };
  return ({ body, first, turn }) => {
    const isPlanner = body.tools?.some(({ name }) => name === "plan") ?? false;
    if (isPlanner) return turn === 1 ? call("list", { path: "." }) : call("plan", plan, "I have seen enough.");
    const part = /Set the limit of (part-\d+)/.exec(first)?.[1] ?? "part-00";
    return work(turn, `${part}/limit.js`, part);
  };
}

/** The files it works on. */
export function limitFiles(parts: number): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: parts }, (_, index) => [
      `${partName(index)}/limit.js`,
      `export const limit = 10; // ${index}\n`,
    ]),
  );
}

function partName(index: number): string {
  return `part-${String(index).padStart(2, "0")}`;
}

function work(turn: number, file_path: string, part: string): Reply {
  if (turn === 1) return call("read", { file_path }, "I look at it first.");
  if (turn === 2) return call("edit", { file_path, old_string: "limit = 10", new_string: "limit = 20" });
  if (turn === 3) return call("read", { file_path }, "Let me see what it is now.");
  return call("submit", { summary: `The limit of ${part} is 20.` });
}

function call(name: string, input: unknown, say?: string): Reply {
  return { calls: [{ name, input }], ...(say ? { say } : {}) };
}
