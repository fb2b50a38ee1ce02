import type { CommandRule, PermissionMode, Rule, Scope } from "../../src/protocol/scope.ts";

/** A scope of one layer with rules about commands, as they are written, and the folder `src` to edit. */
export function bashScope(written: {
  allow?: readonly string[];
  ask?: readonly string[];
  deny?: readonly string[];
  mode?: PermissionMode;
}): Scope {
  const { allow = [], ask = [], deny = [], mode } = written;
  const edit: Rule = { id: "Edit(src/**)", tool: "Edit", paths: { directories: ["src"] } };
  const layer = { source: "task", allow: [edit, ...allow.map(read)], ask: ask.map(read), deny: deny.map(read) };
  return { layers: [layer], tools: ["bash"], ...(mode ? { mode } : {}) };
}

/** Without the checks of a rule that loads: what could never admit anything is given a chance here. */
function read(text: string): CommandRule {
  const [, words, prefix] = /^Bash(?:\((.*?)(:\*)?\))?$/.exec(text) ?? [];
  return { id: text, tool: "Bash", ...(words ? { words: words.split(" "), isWhole: prefix === undefined } : {}) };
}
