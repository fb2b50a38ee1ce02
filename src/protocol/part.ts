import { z } from "zod";
import { taskId } from "./ids.ts";
import { pathPattern } from "./scope.ts";

/** Something a tool found in a file: what a task of `split: findings` is about. Lines and columns are from 1. */
export const finding = z.object({
  path: z.string(),
  line: z.number().int().min(1).optional(),
  column: z.number().int().min(1).optional(),
  rule: z.string().optional(),
  message: z.string(),
});
export type Finding = z.infer<typeof finding>;

/** What a split made of the repository for one task: all of the task but its place and its steps. */
export const part = z.object({
  id: taskId,
  title: z.string(),
  /** What the split made it of, for `${{ item.* }}`: `path`, `name` or `owner`. */
  item: z.record(z.string(), z.string()),
  /** Tasks whose folded work it starts from; all of them come before it. */
  needs: z.array(taskId),
  /** The files it is about, at the base; a recipe looks at these. */
  files: z.array(z.string()),
  /** What it may edit. Disjoint from that of every task it is not ordered with. */
  writes: z.array(pathPattern),
  findings: z.array(finding).optional(),
});
export type LockedPart = z.infer<typeof part>;
