import type { ApprovalView } from "../protocol/approval.ts";
import { visible } from "../protocol/visible.ts";
import { oneLine } from "./words.ts";

/** Questions as people are shown them. Nothing that a terminal would act on, or would hide, comes through. */

/** As much of an id as tells it apart from others; random, so that little is enough. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}

export interface ShownQuestion {
  tool: string;
  input: string;
  rule: string;
  source: string;
  reason: string;
  suggestion?: string | undefined;
}

/** The input in full, why it is a question, and what an answer for the whole job would allow. */
export function questionLines({ tool, input, rule, source, reason, suggestion }: ShownQuestion): string[] {
  const lines = plainly(input).split("\n");
  return [
    ...lines.map((line) => `    ${line}`),
    `  why     ${oneLine(reason, 400)} (${oneLine(rule, 200)}, ${oneLine(source, 60)})`,
    `  always  ${suggestion === undefined ? `this very ${oneLine(tool, 60)} call and no other` : oneLine(suggestion, 4_200)}`,
  ];
}

/** Each question that waits, with what to type. */
export function pendingLines(approvals: readonly ApprovalView[]): string[] {
  return approvals
    .toReversed()
    .flatMap(({ id, task_id, tool, input }) => [
      `  ask  ${task_id}: ${plainLine(`${tool} ${input}`, 160)}`,
      `       sheaf approve ${shortId(id)}   or   sheaf deny ${shortId(id)}`,
    ]);
}

/** What is not seen (marks of format, blanks that are no space, characters drawn as nothing) is a mark as well. */
function plainly(text: string): string {
  return visible(text).replace(/\p{Cf}|\p{Default_Ignorable_Code_Point}|[\t\p{Zl}\p{Zp}\u2800]|(?! )\p{Zs}/gu, mark);
}

/** The same as one line, cut at `most` characters. */
export function plainLine(text: string, most: number): string {
  return oneLine(plainly(text.replace(/[ \t\r\n]+/g, " ")), most);
}

function mark(character: string): string {
  return `\\x${(character.codePointAt(0) ?? 0).toString(16).padStart(2, "0")}`;
}
