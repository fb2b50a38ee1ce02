import { z } from "zod";
import { readJson } from "./json-report.ts";
import type { Reading } from "./report.ts";
import { reportPath, withoutRoot } from "./report-path.ts";
import { openTally, type Tally } from "./tally.ts";

const assertion = z.looseObject({
  status: z.string(),
  title: z.string(),
  ancestorTitles: z.array(z.string()).default([]),
});
const file = z.looseObject({
  name: z.string(),
  status: z.string().optional(),
  message: z.string().nullish(),
  assertionResults: z.array(assertion),
});
const run = z.looseObject({
  numFailedTests: z.number(),
  success: z.boolean(),
  wasInterrupted: z.boolean().optional(),
  testResults: z.array(file),
});
type Run = z.infer<typeof run>;

/**
 * What Jest's `--json` and Vitest's `--reporter=json` write. A file that failed without a failing test could not be
 * run, and fails itself.
 */
export function parseJest(text: string, root: string): Reading {
  const document = readJson(text, run);
  if ("unreadable" in document) return document;
  const read = document.json;
  const tally = openTally("test");
  const failures = read.testResults.map((one) => addFile(one, root, tally)).reduce((sum, count) => sum + count, 0);
  return tally.report({ incomplete: incompleteness(read, failures) });
}

function addFile(one: z.infer<typeof file>, root: string, tally: Tally): number {
  const path = reportPath(one.name, root);
  let failures = 0;
  for (const { status, title, ancestorTitles } of one.assertionResults) {
    const identity = [path, ...ancestorTitles, title].map((part) => withoutRoot(part, root)).join(" > ");
    if (status === "passed") tally.passed(identity);
    if (status !== "failed") continue;
    failures++;
    tally.failed(identity);
  }
  if (one.status !== "failed" || failures > 0) return failures;
  const reason = withoutRoot(one.message ?? "", root)
    .trim()
    .split("\n", 1)[0];
  tally.failed(`${path} (could not be run)`, `${path} could not be run${reason ? `: ${reason}` : ""}`);
  return 1;
}

function incompleteness({ numFailedTests, success, wasInterrupted }: Run, failures: number): string | undefined {
  if (wasInterrupted) return "the run was interrupted";
  if (numFailedTests > failures) return `it counts ${numFailedTests} failed tests and names ${failures}`;
  return success || failures > 0 ? undefined : "it says that the run failed, and names nothing that did";
}
