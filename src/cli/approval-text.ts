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
  return approvals.toReversed().flatMap(({ id, job_id, task_id, tool, input }) => {
    const { line, isWhole } = inShort({ tool, input }, 160);
    const next = isWhole
      ? `sheaf approve ${shortId(id)}   or   sheaf deny ${shortId(id)}`
      : `sheaf approvals ${job_id}   shows ${shortId(id)} in full`;
    return [`  ask  ${task_id}: ${line}`, `       ${next}`];
  });
}

/** A question as one line. What is not whole in it is not for answering: something could stand where nobody looks. */
export function inShort(
  { tool, input }: Pick<ShownQuestion, "tool" | "input">,
  most: number,
): { line: string; isWhole: boolean } {
  const text = `${tool} ${input}`;
  const line = plainLine(text, most);
  return { line, isWhole: !/[\r\n]/.test(input.trim()) && line === plainLine(text, Number.POSITIVE_INFINITY) };
}

/** What is not seen (marks of format, blanks that are no space, characters drawn as nothing) is a mark as well. */
function plainly(text: string): string {
  return visible(text).replace(/\p{Cf}|\p{Default_Ignorable_Code_Point}|[\t\p{Zl}\p{Zp}\u2800]|(?! )\p{Zs}/gu, mark);
}

/** The same as one line, cut at `most` characters; what was a new line is a mark. */
export function plainLine(text: string, most: number): string {
  const line = text.trim().replace(/[ \t]*\r?\n[ \t]*/g, ` ${mark("\n")} `);
  return oneLine(plainly(line.replace(/[ \t]+/g, " ")), most);
}

function mark(character: string): string {
  return `\\x${(character.codePointAt(0) ?? 0).toString(16).padStart(2, "0")}`;
}
