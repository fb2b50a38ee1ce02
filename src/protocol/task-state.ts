import { z } from "zod";

/** What became of a task. */
export const taskState = z.enum(["succeeded", "no_changes", "failed", "blocked", "limit", "cancelled"]);
export type TaskState = z.infer<typeof taskState>;
