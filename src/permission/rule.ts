import { Fault } from "../protocol/failure.ts";
import type { PathPattern, PathRule, PathTool } from "../protocol/scope.ts";
import { parseGlob } from "./glob-syntax.ts";

/**
 * Reads one rule as a person writes it: `Read`, `Edit(src/**)`. A specifier that could not be enforced is an error
 * here, never a rule that quietly means something wider. Throws Fault `rule`.
 */
export function parseRule(text: string): PathRule {
  const id = text.trim();
  const shape = /^([A-Za-z_][\w-]*)(?:\(([\s\S]*)\))?$/.exec(id);
  if (!shape?.[1]) throw refuse(id, "it is not of the form Tool or Tool(specifier)", "write it as Read(src/**)");
  const tool = toolOf(id, shape[1]);
  const specifier = shape[2];
  if (specifier === undefined) return { id, tool, paths: { directories: [""] } };
  refuseUnbalanced(id, specifier);
  return { id, tool, paths: parsePattern(specifier) };
}

/** A gitignore-style pattern as a person writes it, checked. Throws Fault `rule`. */
export function parsePattern(glob: string): PathPattern {
  parseGlob(glob);
  return { glob };
}

function toolOf(id: string, name: string): PathTool {
  if (name === "Read" || name === "Edit") return name;
  if (["Bash", "WebFetch", "Agent"].includes(name) || name.startsWith("mcp__")) {
    throw refuse(id, `rules for ${name} are not built yet`, "use Read and Edit rules");
  }
  throw refuse(id, `${name} is not a tool that rules know`, remedyFor(name));
}

function remedyFor(name: string): string {
  const known: Readonly<Record<string, string>> = {
    read: "write Read",
    edit: "write Edit",
    write: "write Edit: it covers write and delete",
    delete: "write Edit: it covers write and delete",
    multiedit: "write Edit: it covers write and delete",
    glob: "write Read: it covers glob and list",
    list: "write Read: it covers glob and list",
    grep: "write Read: it covers searching",
  };
  return known[name.toLowerCase()] ?? "use Read and Edit rules";
}

function refuseUnbalanced(id: string, specifier: string): void {
  let depth = 0;
  for (const part of specifier.match(/\\[\s\S]|[()]/g) ?? []) {
    if (part === "(") depth++;
    if (part === ")" && --depth < 0) break;
  }
  if (depth !== 0) throw refuse(id, "its parentheses do not pair up", "write \\( or \\) for one in a name");
}

function refuse(id: string, reason: string, remedy: string): Fault {
  return new Fault("rule", `the rule ${JSON.stringify(id)} is refused: ${reason}`, { remedy });
}
