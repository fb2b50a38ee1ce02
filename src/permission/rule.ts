import type { PathPattern, PathTool, Rule } from "../protocol/scope.ts";
import { parseAgentRule } from "./agent-rule.ts";
import { parseBashRule } from "./bash-rule.ts";
import { parseGlob } from "./glob-syntax.ts";
import { parseMcpRule } from "./mcp-rule.ts";
import { isGitInternal } from "./protected-path.ts";
import { refuseRule } from "./rule-refusal.ts";
import { parseWebRule } from "./web-rule.ts";

/**
 * Reads one rule as a person writes it: `Read`, `Edit(src/**)`, `Bash(npm test:*)`. A specifier that could not be
 * enforced, or that nothing could ever match, is an error here: never a rule that quietly means something wider, or
 * nothing. Throws Fault `rule`.
 */
export function parseRule(text: string): Rule {
  const id = text.trim();
  const { name, specifier } = partsOf(id);
  if (specifier !== undefined && specifier.trim() === "") {
    throw refuseRule(id, "its parentheses are empty", `write ${name} alone to mean all of it`);
  }
  switch (name) {
    case "Read":
    case "Edit":
      return pathRule(id, name, specifier);
    case "Bash":
      return parseBashRule(id, specifier);
    case "WebFetch":
      return parseWebRule(id, specifier);
    case "Agent":
      return parseAgentRule(id, specifier);
    default:
      if (name.startsWith("mcp__")) return parseMcpRule(id, name, specifier);
      throw refuseRule(id, `${name} is not a tool that rules know`, remedyFor(name));
  }
}

/** A gitignore-style pattern as a person writes it, checked. Throws Fault `rule`. */
export function parsePattern(glob: string): PathPattern {
  parseGlob(glob);
  return { glob };
}

/** A rule, or a call as people write it, in its two parts. Throws Fault `rule` where it has none. */
export function partsOf(id: string): { name: string; specifier: string | undefined } {
  const shape = /^([A-Za-z_][\w*-]*)(?:\(([\s\S]*)\))?$/.exec(id);
  if (!shape?.[1]) throw refuseRule(id, "it is not of the form Tool or Tool(specifier)", "write it as Read(src/**)");
  return { name: shape[1], specifier: shape[2] };
}

function pathRule(id: string, tool: PathTool, specifier: string | undefined): Rule {
  if (specifier === undefined) return { id, tool, paths: { directories: [""] } };
  refuseUnbalanced(id, specifier);
  const paths = parsePattern(specifier);
  if (literalsOf(specifier).some(isGitInternal)) {
    throw refuseRule(id, "nothing may touch git's own folder, whatever a rule says", "leave the rule out");
  }
  return { id, tool, paths };
}

/** The segments of a pattern that hold no wildcard. */
function literalsOf(glob: string): string[] {
  return glob.split("/").filter((segment) => !/[*?[\]\\]/.test(segment));
}

function remedyFor(name: string): string {
  const known: Readonly<Record<string, string>> = {
    read: "write Read",
    edit: "write Edit",
    write: "write Edit: it covers write and delete",
    delete: "write Edit: it covers write and delete",
    multiedit: "write Edit: it covers write and delete",
    notebookedit: "write Edit: it covers write and delete",
    glob: "write Read: it covers glob and list",
    list: "write Read: it covers glob and list",
    ls: "write Read: it covers glob and list",
    grep: "write Read: it covers searching",
    bash: "write Bash",
    shell: "write Bash",
    run: "write Bash",
    webfetch: "write WebFetch",
    fetch: "write WebFetch",
    agent: "write Agent",
    task: "write Agent",
    mcp: "write mcp__SERVER or mcp__SERVER__TOOL",
  };
  return known[name.toLowerCase()] ?? "use Read, Edit, Bash, WebFetch, Agent or mcp__SERVER__TOOL";
}

function refuseUnbalanced(id: string, specifier: string): void {
  let depth = 0;
  for (const part of specifier.match(/\\[\s\S]|[()]/g) ?? []) {
    if (part === "(") depth++;
    if (part === ")" && --depth < 0) break;
  }
  if (depth !== 0) throw refuseRule(id, "its parentheses do not pair up", "write \\( or \\) for one in a name");
}
