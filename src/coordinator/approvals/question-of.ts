import { createHash } from "node:crypto";
import type { Call } from "../../permission/call.ts";
import { exactRule, suggestRule } from "../../permission/suggest-rule.ts";
import { canonicalJson } from "../../protocol/canonical-json.ts";
import type { ToolUse } from "../../protocol/message.ts";
import type { Decision } from "../../protocol/scope.ts";
import type { AskedPath } from "../../tools/decide-paths.ts";
import { type JudgeView, shortInput } from "../../tools/judge.ts";
import { callOf as callOutside, subjectOf } from "../../tools/judge-outside.ts";
import { showPath } from "../../tools/tool.ts";
import type { DecidedCall } from "../calls/decide-call.ts";
import type { Question } from "./ask-approval.ts";

/**
 * A call as people are asked about it: they see all that an allowance would allow, and the hash is of all of the call, so
 * that an answer is for this alone.
 */
export function questionOf({ id, name, input }: ToolUse, decided: DecidedCall, spanId: string | undefined): Question {
  const { decision, subject, outside, asked = [] } = decided;
  const shown = outside ? subjectOf(outside) : asked.length > 0 ? asked.map(shownPath).join("\n") : subject;
  return {
    callId: id,
    tool: name,
    input: shown === "" ? shortInput(input) : shown,
    inputSha256: createHash("sha256").update(canonicalJson(input)).digest("hex"),
    decision,
    suggestion: ruleOf(decided),
    edits: asked.flatMap(({ tool, canonical }) => (tool === "Edit" ? [canonical] : [])),
    spanId,
  };
}

/** Its name as it was written, and where it really leads. */
function shownPath({ path, canonical }: AskedPath): string {
  return path === canonical ? showPath(path) : `${showPath(path)} -> ${showPath(canonical)}`;
}

/** A denial for want of a rule says which one it wants. Whoever wrote the job may add it; the agent cannot. */
export function withWantedRule(
  { decision, outside, asked = [] }: DecidedCall,
  { scope, isCaseInsensitive }: Pick<JudgeView, "scope" | "isCaseInsensitive">,
): Decision {
  if (decision.effect !== "deny" || decision.rule !== "no rule") return decision;
  const call = callOf(outside, asked);
  const rule = call && suggestRule(scope, call, { isCaseInsensitive });
  if (rule === undefined) return decision;
  return { ...decision, reason: `${decision.reason}; nobody is asked; ${rule} in permissions.allow would allow it` };
}

function callOf(outside: DecidedCall["outside"], asked: readonly AskedPath[]): Call | undefined {
  if (outside) return callOutside(outside);
  const [path, ...others] = asked;
  if (!path || others.length > 0 || path.viaLinks.length > 0) return undefined;
  return { tool: path.tool, path: path.canonical, isDirectory: path.isDirectory };
}

/** The rule that alone would have allowed this. A link may lead elsewhere tomorrow, so what goes through one has none. */
function ruleOf({ outside, asked = [] }: DecidedCall): string | undefined {
  const call = callOf(outside, asked);
  return call && exactRule(call);
}
