import { z } from "zod";
import { submission } from "../protocol/claim.ts";
import { defineTool } from "./tool.ts";

const kinds = [
  "tests_pass",
  "check_ok",
  "changed",
  "only_touched",
  "command_run",
  "read",
  "count",
  "absent",
  "fixed",
  "no_test_weakened",
  "done",
] as const;

/** One object for all kinds of claims: a union of eleven is hard to read, and costs a model more than the work of many. */
const shownClaim = z.object({
  kind: z
    .enum(kinds)
    .describe(
      "What is claimed, with the fields that belong to it: tests_pass (command), check_ok (check), changed (path), " +
        "only_touched (paths), command_run (command, exit), read (path), count (of, count), absent (pattern, in), " +
        "fixed (what), no_test_weakened, done (criteria)",
    ),
  command: z.string().optional().describe("The command line as it was run"),
  exit: z.int32().optional().describe("Its exit code"),
  check: z.string().optional().describe("Name of a check"),
  path: z.string().optional().describe("A file"),
  paths: z.array(z.string()).optional().describe("All files that were changed"),
  of: z.string().optional().describe("What was counted"),
  count: z.int32().optional(),
  pattern: z.string().optional().describe("What is nowhere any more"),
  in: z.string().optional().describe("The file or directory it is not in; absent: everywhere"),
  what: z.string().optional().describe("What was wrong"),
  criteria: z.string().optional().describe("What the task asked for"),
  receipts: z.array(z.string()).optional().describe("Ids of the tool calls that show it, where they are known"),
});

const shown = z.object({
  summary: z.string().describe("What was done, for the person who reads the result"),
  claims: z
    .array(z.union([shownClaim, z.string()]))
    .optional()
    .describe(
      "What is true of the work now, in a form that can be compared with files and receipts; a sentence can be compared with nothing",
    ),
  leftovers: z
    .array(
      z.object({
        path: z.string(),
        line: z.int32().describe("Counted from 1"),
        column: z.int32().describe("Counted from 1"),
        text: z.string().describe("What stands there"),
        reason: z.string().describe("Why it was left alone"),
      }),
    )
    .optional()
    .describe("Every place that was seen and left alone"),
  refused: z.string().optional().describe("The reason, when the work was declined as a whole"),
});

export const submit = defineTool({
  name: "submit",
  description:
    "Ends the task: a summary of what was done, claims about it, and every place that was seen and left alone, with " +
    "the reason. Set refused, with the reason, when the work was declined as a whole. Claim only what you have seen.",
  input: submission,
  shown,
  effect: "none",
  paths: () => [],
  async run(said) {
    return { content: said.refused === undefined ? "submitted" : "submitted as refused", submission: said };
  },
});
