import { hash } from "node:crypto";
import type { ToolSchema } from "../model/model.ts";
import type { Opening } from "../protocol/run-fact.ts";

/** What stands in front of a conversation, so that the log says what its requests began with. */
export function openingOf({ system, tools, brief, prompt }: Front): Opening {
  const [system_sha256, tools_sha256, brief_sha256] = [system, JSON.stringify(tools), brief].map(sha256);
  return {
    system_sha256: system_sha256 ?? "",
    tools_sha256: tools_sha256 ?? "",
    brief_sha256: brief_sha256 ?? "",
    prefix_sha256: sha256(`${tools_sha256} ${system_sha256} ${brief_sha256}`),
    prompt,
  };
}

interface Front {
  system: string;
  tools: readonly ToolSchema[];
  brief: string;
  prompt: string;
}

function sha256(text: string): string {
  return hash("sha256", text);
}
