import { z } from "zod";
import { reach } from "./reach.ts";
import { pathPattern } from "./scope.ts";

/** What is checked of a tree. */

const expectation = z.enum(["no-new-failures", "pass", "fixed", "fewer"]);
export const reportFormat = z.enum(["exit", "junit", "tap", "sarif", "vitest", "jest", "eslint"]);
export type ReportFormat = z.infer<typeof reportFormat>;

/** A command about a tree. Its report is read from what it prints, or from the file `report` that it writes. */
const commandCheck = z.object({
  kind: z.literal("command"),
  name: z.string(),
  /** `task`: on each task's own tree, before it counts as delivered; `tree`: on the folded tree. */
  at: z.enum(["task", "tree"]),
  run: z.string(),
  expect: expectation,
  timeout_ms: z.number().int().positive(),
  parse: reportFormat,
  report: z.string().optional(),
  /** How often a red command is run again before its red counts. */
  retries: z.number().int().min(0),
  /** Nobody asked for it: it was found in the repository, and goes where it says nothing at the base. */
  is_found: z.boolean().optional(),
  ...reach,
});
export type CommandCheck = z.infer<typeof commandCheck>;

/** Holds when no file (of those `in` covers) has text that the regular expression (flags `mu`) matches. */
const absentCheck = z.object({
  kind: z.literal("absent"),
  name: z.string(),
  at: z.enum(["task", "tree"]),
  absent: z.string(),
  in: pathPattern.optional(),
});
export type AbsentCheck = z.infer<typeof absentCheck>;

export const check = z.discriminatedUnion("kind", [commandCheck, absentCheck]);
export type Check = z.infer<typeof check>;
