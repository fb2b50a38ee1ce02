import { Parser, type Result } from "tap-parser";
import type { Reading } from "./report.ts";
import { withoutRoot } from "./report-path.ts";
import { openTally, type Tally } from "./tally.ts";

/**
 * The Test Anything Protocol, 12 to 14, with subtests. A stream without a plan, with another number of tests than its
 * plan, or that bailed out is incomplete. Diagnostics (YAML of somebody else's) are not read at all.
 */
export function parseTap(text: string, root: string): Reading {
  const tally = openTally("test");
  let complaint: string | undefined;
  const parser = new Parser({ passes: false }, (end) => {
    const broken = end.failures.find((failure) => failure.tapError);
    if (end.bailout !== false) complaint = `it bailed out: ${String(end.bailout)}`;
    else if (broken) complaint = `it breaks the protocol: ${String(broken.tapError)}`;
  });
  follow(parser, (result) => add(result, root, tally));
  parser.end(withoutDiagnostics(text));
  if (!/^\s*(TAP version|(not )?ok\b|\d+\.\.\d+)/m.test(text)) return { unreadable: "it holds no line of TAP" };
  return tally.report({ incomplete: complaint });
}

/** Test points without tests of their own: a failing test fails all the groups it is in. */
function follow(parser: Parser, leaf: (result: Result) => void): void {
  let hasChildren = false;
  parser.on("child", (child: Parser) => {
    hasChildren = true;
    follow(child, leaf);
  });
  parser.on("assert", (result: Result) => {
    const isGroup = hasChildren;
    hasChildren = false;
    if (!isGroup) leaf(result);
  });
}

function add(result: Result, root: string, tally: Tally): void {
  if (result.skip) return;
  const identity = withoutRoot(result.fullname || `test ${result.id}`, root);
  if (result.ok || result.todo) tally.passed(identity);
  else tally.failed(identity);
}

/** One pass over the lines: an expression would look to the end of the text for each block that never ends. */
function withoutDiagnostics(text: string): string {
  const lines = text.split("\n");
  const kept: string[] = [];
  let open: { indent: string; from: number } | undefined;
  for (const [index, line] of lines.entries()) {
    const mark = /^([ \t]+)(---|\.\.\.)[ \t]*\r?$/.exec(line);
    if (open === undefined && mark?.[2] === "---") open = { indent: mark[1] ?? "", from: index };
    else if (open === undefined) kept.push(line);
    else if (mark?.[2] === "..." && mark[1] === open.indent) open = undefined;
  }
  // What never ended is no block.
  return [...kept, ...(open ? lines.slice(open.from) : [])].join("\n");
}
