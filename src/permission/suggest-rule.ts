import type { Scope } from "../protocol/scope.ts";
import { parseCommand } from "../shell/parse-command.ts";
import { type Call, decideCall, shown } from "./call.ts";
import { parseRule } from "./rule.ts";

/**
 * The rule that would turn this very call into an allowed one, if the job allowed it; undefined where no single rule
 * could, be it that something denies it, or that a rule asks about it.
 */
export function suggestRule(scope: Scope, call: Call, facts: { isCaseInsensitive: boolean }): string | undefined {
  const rule = exactRule(call);
  const [first, ...others] = scope.layers;
  if (rule === undefined || first === undefined) return undefined;
  const widened = { ...first, allow: [...(first.allow ?? []), parseRule(rule)] };
  return decideCall({ ...scope, layers: [widened, ...others] }, call, facts).effect === "allow" ? rule : undefined;
}

/** The narrowest rule that alone allows this call, whatever a scope says; undefined where there is none. */
export function exactRule(call: Call): string | undefined {
  const text = call.tool === "Bash" ? commandRule(call.command) : written(call);
  if (text === undefined) return undefined;
  try {
    const scope = { layers: [{ source: "rule", allow: [parseRule(text)], deny: [] }], tools: [] };
    return decideCall(scope, call, { isCaseInsensitive: false }).effect === "allow" ? text : undefined;
  } catch {
    // A call whose words could not stand in a rule has none.
    return undefined;
  }
}

function commandRule(command: string): string | undefined {
  const read = parseCommand(command);
  if ("refused" in read || read.commands.length !== 1) return undefined;
  return read.commands[0] && `Bash(${read.commands[0].words.join(" ")})`;
}

/** From the root, so that it names one path and not every file of that name. */
function written(call: Exclude<Call, { tool: "Bash" }>): string {
  if (call.tool !== "Read" && call.tool !== "Edit") return shown(call);
  const escaped = call.path.replace(/[\\*?[\]()]/g, "\\$&").replace(/ +$/, (spaces) => "\\ ".repeat(spaces.length));
  return call.path === "" ? call.tool : `${call.tool}(/${escaped}${call.isDirectory ? "/" : ""})`;
}
