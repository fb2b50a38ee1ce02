import { type Call, decideCall } from "../permission/call.ts";
import type { Decision } from "../protocol/scope.ts";
import type { JudgeView } from "./judge.ts";
import { judgeCommand } from "./judge-command.ts";
import type { OutsideCall } from "./tool.ts";

/** The coordinator's decision on what leaves a thread, by the same rules that explain it. */
export function judgeOutside(call: OutsideCall, view: JudgeView): Decision {
  if (call.kind === "command") return judgeCommand(call.text, view);
  return decideCall(view.scope, callOf(call), view);
}

/** The call in the words of rules. */
export function callOf(call: OutsideCall): Call {
  switch (call.kind) {
    case "command":
      return { tool: "Bash", command: call.text };
    case "agent":
      return { tool: "Agent", name: call.name };
    case "server":
      return { tool: "Mcp", server: call.server, name: call.name };
  }
}

/** All that an allowance would allow, for a person. */
export function subjectOf(call: OutsideCall): string {
  switch (call.kind) {
    case "command":
      return call.text;
    case "agent":
      return `${call.name}${call.writes ? ` (writes ${call.writes.join(", ")})` : ""}: ${call.prompt}`;
    case "server":
      return JSON.stringify(call.input);
  }
}
