import { Fault } from "../protocol/failure.ts";
import type { AgentRule, Decision, DomainRule, McpRule, PathTool, Rule, Scope } from "../protocol/scope.ts";
import { isPlainName } from "../protocol/written-text.ts";
import { agentCovers } from "./agent-rule.ts";
import { decide, type PathFacts, pathQuestion } from "./decide.ts";
import { decideCommand } from "./decide-command.ts";
import { mcpCovers, mcpParts } from "./mcp-rule.ts";
import { partsOf } from "./rule.ts";
import { subjectOf } from "./subject.ts";
import { domainCovers, hostOf } from "./web-rule.ts";
import { type Question, weigh } from "./weigh.ts";

/** One thing that an agent may ask to do, in the words of rules. It is decided as a run decides it, without a disk. */
export type Call =
  | { tool: PathTool; path: string; isDirectory: boolean }
  | { tool: "Bash"; command: string }
  | { tool: "WebFetch"; host: string }
  | { tool: "Mcp"; server: string; name: string }
  | { tool: "Agent"; name: string };

/** `path` is canonical and relative to the repository root; where links lead is for the caller to ask about. */
export function decideCall(scope: Scope, call: Call, facts: Pick<PathFacts, "isCaseInsensitive">): Decision {
  switch (call.tool) {
    case "Read":
    case "Edit":
      return decide(scope, call.tool, call.path, { ...facts, isDirectory: call.isDirectory });
    case "Bash":
      return decideCommand(scope, call.command, {
        decideRedirect: (path) => decide(scope, "Edit", path, facts),
      });
    default:
      return weigh(scope, questionOf(call, facts));
  }
}

/** Any call but a command, as rules see it. */
export function questionOf(
  call: Exclude<Call, { tool: "Bash" }>,
  { isCaseInsensitive }: Pick<PathFacts, "isCaseInsensitive">,
): Question<Rule["tool"]> {
  switch (call.tool) {
    case "Read":
    case "Edit":
      return pathQuestion(call.tool, subjectOf(call.path, { isCaseInsensitive, isDirectory: call.isDirectory }));
    case "WebFetch":
      return { tool: "WebFetch", covers: (rule: DomainRule) => domainCovers(call.host, rule), about: call.host };
    case "Mcp": {
      const asked = { server: call.server, tool: call.name };
      return { tool: "Mcp", covers: (rule: McpRule) => mcpCovers(asked, rule), about: shown(call) };
    }
    case "Agent":
      return { tool: "Agent", covers: (rule: AgentRule) => agentCovers(call.name, rule), about: `agent ${call.name}` };
  }
}

/** As people write it: `Bash(npm test)`, `Edit(src/a.ts)`, `mcp__files__read`. */
export function shown(call: Call): string {
  switch (call.tool) {
    case "Read":
    case "Edit":
      return `${call.tool}(${call.path}${call.isDirectory ? "/" : ""})`;
    case "Bash":
      return `Bash(${call.command})`;
    case "WebFetch":
      return `WebFetch(domain:${call.host})`;
    case "Mcp":
      return `mcp__${call.server}__${call.name}`;
    case "Agent":
      return `Agent(${call.name})`;
  }
}

/** Reads one. A rule about many calls is none: what is asked is about this one. Throws Fault `usage` or `rule`. */
export function parseCall(text: string): Call {
  const { name, specifier } = partsOf(text.trim());
  if (name.startsWith("mcp__")) return mcpCall(text, name, specifier);
  if (specifier === undefined || specifier.trim() === "") {
    throw notACall(
      text,
      "it does not say of what",
      "write Edit(src/a.ts), Bash(npm test), WebFetch(domain:example.com)",
    );
  }
  return callOf(name, specifier);
}

/** What stands in the parentheses of a call to that tool. Throws Fault `rule`. */
export function callOf(tool: string, written: string): Call {
  switch (tool) {
    case "Read":
    case "Edit":
      return pathCall(tool, written);
    case "Bash":
      return { tool, command: written };
    case "WebFetch":
      return { tool, host: webHost(written) };
    case "Agent":
      if (isPlainName(written.trim())) return { tool, name: written.trim() };
      throw notACall(`Agent(${written})`, "it is no name of an agent", "write it as Agent(fixer)");
    default:
      throw notACall(
        `${tool}(${written})`,
        `${tool} is not a tool that rules know`,
        "write Read, Edit, Bash, WebFetch or Agent",
      );
  }
}

function pathCall(tool: PathTool, written: string): Call {
  const path = written
    .replace(/^(?:\.?\/)+/, "")
    .replace(/\/+$/, "")
    .replace(/^\.$/, "");
  const isDirectory = path === "" || written.endsWith("/");
  const names = path === "" ? [] : path.split("/");
  const isPlain = names.every((name) => !["", ".", ".."].includes(name)) && !path.includes("\0");
  if (isPlain) return { tool, path, isDirectory };
  throw notACall(`${tool}(${written})`, "it is no path of the repository", "write it from the root: src/a.ts");
}

function webHost(written: string): string {
  const text = written.trim().replace(/^domain:/, "");
  const host = hostOf(URL.canParse(text) && /^https?:/i.test(text) ? new URL(text).hostname : text);
  if (host !== undefined) return host;
  throw notACall(`WebFetch(${written})`, "it names no host", "write WebFetch(domain:example.com)");
}

function mcpCall(text: string, written: string, specifier: string | undefined): Call {
  const { server, tool: name } = mcpParts(written);
  if (server !== "" && name && specifier === undefined) return { tool: "Mcp", server, name };
  throw notACall(text, "it names no tool of a server", "write mcp__SERVER__TOOL");
}

function notACall(text: string, reason: string, remedy: string): Fault {
  return new Fault("rule", `${JSON.stringify(text)} is no call that rules speak of: ${reason}`, { remedy });
}
