import type { SgNode } from "@ast-grep/napi";
import { couldBecomeBuiltin } from "./builtin-modules.ts";

/**
 * Whether what is passed to `require` or `import` could turn out to be a built-in module. A path cannot:
 * only what may be a bare name is worth a person's look.
 */
export function couldNameBuiltin(argument: SgNode): boolean {
  switch (String(argument.kind())) {
    case "string":
      return false;
    case "template_string":
      return isOpen(argument) && couldBecomeBuiltin(openingOf(argument.text()));
    case "binary_expression":
      return couldBeginBuiltin(argument);
    case "call_expression":
      return !pathCall.test(argument.text());
    case "new_expression":
    case "array":
    case "object":
    case "arrow_function":
    case "function_expression":
    case "number":
    case "regex":
    case "true":
    case "false":
    case "null":
    case "undefined":
      return false;
    default:
      return !/^(?:__filename|__dirname|module\.id|module\.filename|import\.meta\.\w+)$/.test(argument.text());
  }
}

/** Calls whose result is a path or a URL. */
const pathCall =
  /^(?:require\.resolve|(?:\w+\.)?(?:resolve|fileURLToPath|pathToFileURL)|(?:\w+\.)?join\s*\(\s*(?:__dirname|process\.cwd\(\)|import\.meta\.dirname))\b/;

function isOpen(template: SgNode): boolean {
  return template.children().some((child) => child.kind() === "template_substitution");
}

/** What a template says before its first substitution. */
function openingOf(template: string): string {
  return template.slice(1).split("${", 1)[0] ?? "";
}

function couldBeginBuiltin(sum: SgNode): boolean {
  const left = sum.field("left");
  if (!left) return true;
  if (left.kind() === "string") return couldBecomeBuiltin(left.text().slice(1, -1));
  if (left.kind() === "template_string" && !isOpen(left)) return couldBecomeBuiltin(left.text().slice(1, -1));
  return couldNameBuiltin(left);
}
