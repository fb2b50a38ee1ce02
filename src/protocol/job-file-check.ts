import { z } from "zod";
import { duration } from "./duration.ts";
import { writtenReach } from "./job-file-reach.ts";
import { choice } from "./not-built.ts";
import { key } from "./written-key.ts";
import { repositoryFile, shellCommand, templatedPath, templatedRegex, text } from "./written-text.ts";

/** A check of a job file as people write it: a command about a tree, or a text that must not be there. */

const mapping = z
  .strictObject({
    name: key(text({ most: 200 }), "its name in results", "the command, or what must be absent"),
    run: key(shellCommand, "a shell command; it passes with exit 0", "none"),
    at: key(
      choice(["tree", "task"]),
      "tree: the folded tree; task: each task's own tree, before it counts as delivered",
      { is: "tree" },
    ),
    expect: key(
      choice(["no-new-failures", "pass", "fixed", "fewer"]),
      "what is expected of it, compared with the base",
      { is: "no-new-failures" },
    ),
    parse: key(
      choice(["exit", "junit", "tap", "sarif", "vitest", "jest", "eslint"]),
      "what it prints; vitest, jest and eslint: their JSON",
      { is: "exit" },
    ),
    report: key(repositoryFile, "the file it writes its report to", "what it prints"),
    timeout: key(duration, "how long it may take", { is: "15m" }),
    retries: key(z.int().min(0).max(10), "how often a red command is run again before its red counts", { is: 0 }),
    ...writtenReach,
    absent: key(
      templatedRegex,
      "no file may have text that this regular expression (JavaScript, flags mu) matches",
      "none",
    ),
    in: key(templatedPath, "of absent: only files that this glob covers", "every file"),
  })
  .superRefine((check, context) => {
    const refused = refusedCheck(check);
    if (refused) context.addIssue({ code: "custom", ...refused });
  });

export const writtenCheck = z.union([shellCommand, mapping]);
export type WrittenCheck = z.infer<typeof writtenCheck>;

const ofCommands = ["run", "expect", "parse", "report", "timeout", "retries", "network", "secrets"] as const;

function refusedCheck(
  check: Partial<Record<(typeof ofCommands)[number] | "absent" | "in", unknown>>,
): { message: string; path?: string[] } | undefined {
  if (check.absent !== undefined) {
    const foreign = ofCommands.find((key) => check[key] !== undefined);
    return (
      foreign && {
        message: `${foreign} belongs to a command, and absent needs none; write two checks, or leave it out`,
        path: [foreign],
      }
    );
  }
  if (check.run === undefined) return { message: '"run" is missing; write run: COMMAND, or absent: REGEX' };
  if (check.in !== undefined) return { message: "in belongs to absent; leave it out", path: ["in"] };
  if (check.report !== undefined && (check.parse ?? "exit") === "exit") {
    return {
      message: "a report is read by its format; write parse: junit, tap, sarif, vitest, jest or eslint",
      path: ["report"],
    };
  }
  return undefined;
}
