import { mcpParts } from "../permission/mcp-rule.ts";
import { failed, type Tool } from "./tool.ts";

/**
 * A tool of a server, by its whole name, `mcp__SERVER__TOOL`. What it is and takes is known to its server alone, and told
 * to a model by the run's order: here it is a name, and an object that goes there.
 */
export function serverTool(name: string): Tool | undefined {
  const { server, tool } = name.startsWith("mcp__") ? mcpParts(name) : { server: "" };
  if (server === "" || !tool) return undefined;
  return {
    name,
    description: `A tool of the server ${server}.`,
    effect: "outside",
    isAboutLinks: false,
    isBrowsing: false,
    inputSchema: { type: "object" },
    open(input) {
      if (!isRecord(input)) return { problem: "input: it is no object" };
      return {
        paths: [],
        outside: { kind: "server", server, name: tool, input },
        run: async () => failed("only the coordinator asks servers"),
      };
    },
  };
}

function isRecord(input: unknown): input is Readonly<Record<string, unknown>> {
  return typeof input === "object" && input !== null && !Array.isArray(input);
}
