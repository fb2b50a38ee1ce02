import type { PathRule, Scope } from "../protocol/scope.ts";
import { limits, rulesOf } from "./weigh.ts";

/** Whether a scope lets every file be read that is, was or will be there. It says yes only where no rule is in doubt. */
export function readsAll(scope: Scope): boolean {
  return (
    scope.layers.length > 0 &&
    scope.layers.every((layer, index) => {
      if (rulesOf(layer, "deny", "Read").length > 0 || rulesOf(layer, "ask", "Read").length > 0) return false;
      return (index > 0 && !limits(layer, "Read")) || rulesOf(layer, "allow", "Read").some(coversAll);
    })
  );
}

function coversAll({ paths }: PathRule): boolean {
  if ("directories" in paths) return paths.directories.includes("");
  return "glob" in paths && /^\/?\*\*(\/\*\*?)?$/.test(paths.glob);
}
