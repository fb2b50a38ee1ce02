import { weigh } from "../permission/weigh.ts";
import type { Decision } from "../protocol/scope.ts";
import type { JudgeView } from "./judge.ts";

/** The coordinator's decision on a command line. Where its output goes to a file, that is an edit like any other. */
export function judgeCommand(_text: string, view: JudgeView): Decision {
  const question = { tool: "Bash" as const, covers: (rule: { words?: unknown }) => rule.words === undefined };
  return weigh(view.scope, { ...question, about: "the command" });
}
