import type { ToolUse } from "../../protocol/message.ts";
import type { Decision } from "../../protocol/scope.ts";
import { toolNamed } from "../../tools/catalog.ts";
import type { Judgement } from "../../tools/decide-paths.ts";
import { asksSomething, type JudgeView, judge, shortInput } from "../../tools/judge.ts";
import { judgeOutside, subjectOf } from "../../tools/judge-outside.ts";
import type { OutsideCall } from "../../tools/tool.ts";
import { decidePlan, type JudgePlan } from "../plan/decide-plan.ts";
import type { CallBook } from "./call-book.ts";

/** What a call comes to before anybody is asked. */
export interface DecidedCall extends Judgement {
  isRead: boolean;
  outside?: OutsideCall;
}

export interface CallView extends JudgeView {
  book: CallBook;
  /** Of a planner. */
  judgePlan?: JudgePlan;
}

/**
 * What an answer to one call would say about another of the same id is denied before anything is judged, whatever the
 * tool. Undefined where the thread decides: reads, unless somebody may have to be asked, and tools that do not exist or were
 * not offered, which it turns away without running anything.
 */
export async function decideCall(
  call: ToolUse,
  { isAmbiguous, view }: { isAmbiguous: boolean; view: CallView },
): Promise<DecidedCall | undefined> {
  if (isAmbiguous || view.book.has(call.id)) {
    return { decision: ambiguous, subject: shortInput(call.input), isRead: false };
  }
  const tool = toolNamed(call.name);
  if (!tool) return undefined;
  const planned = view.judgePlan && (await decidePlan(call, view.judgePlan));
  if (planned) return { ...planned, isRead: false };
  const isRead = tool.effect === "read";
  if (isRead && !asksSomething(view.scope)) return undefined;
  const isOffered = view.scope.tools.includes(call.name);
  const isWhole = call.malformed === undefined;
  const opened = tool.effect === "outside" && isOffered && isWhole ? tool.open(call.input) : undefined;
  const outside = opened && "outside" in opened ? opened.outside : undefined;
  if (!outside) return { ...(await judge(call, view)), isRead };
  const subject = subjectOf(outside).slice(0, mostShown).toWellFormed();
  return { decision: judgeOutside(outside, view), subject, isRead, outside };
}

/** Characters of such a call in a denial. */
const mostShown = 500;

const ambiguous: Decision = {
  effect: "deny",
  rule: "call id",
  source: "sheaf",
  reason: "its id names another call too, so nobody can tell which of them is meant",
};
