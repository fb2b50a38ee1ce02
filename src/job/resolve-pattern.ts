import { parsePattern } from "../permission/rule.ts";
import type { RuleList } from "../permission/weigh.ts";
import { readRule } from "../permission/written-rule.ts";
import { Fault } from "../protocol/failure.ts";
import type { PathPattern, Rule } from "../protocol/scope.ts";
import type { WrittenRule } from "../protocol/written-rule.ts";
import { repositoryPath } from "../protocol/written-text.ts";
import type { JobPath } from "./fill-inputs.ts";
import { refuseStranger } from "./known-agents.ts";
import type { Resolving } from "./resolving.ts";

/** Rules and patterns of a job file. Their errors name the place in the file. */

/** The rules that stand in a list of the job at `path`. Those that fault are remembered. */
export function resolveRules(
  written: readonly WrittenRule[] | undefined,
  { path, list }: { path: JobPath; list: RuleList },
  { faults, place, ...around }: Resolving,
): Promise<Rule[]> {
  return faults.all(written ?? [], async (text, index) => {
    const where = place([...path, index]);
    const rule = placed(where, () => readRule(text, list));
    await refuseStranger(rule, where, around);
    return rule;
  });
}

/**
 * A file, directory or glob. A name without a wildcard is that path and not, as in a .gitignore, every file of that
 * name. Throws Fault `rule`.
 */
export function patternAt(written: string, place: string): PathPattern {
  const isPath = !/[*?[\]\\]/.test(written) && !written.startsWith("/");
  const glob = isPath ? `/${written.replace(/ +$/, (spaces) => "\\ ".repeat(spaces.length))}` : written;
  return placed(place, () => parsePattern(glob));
}

/** A list of them, as a job file writes it at `path`, with inputs filled in. Those that fault are remembered. */
export function resolvePaths(
  written: readonly string[],
  path: JobPath,
  { filler, faults, place }: Resolving,
): Promise<PathPattern[]> {
  return faults.all(written, (text, index) => {
    const at = [...path, index];
    return patternAt(filler.whole(text, at, repositoryPath), place(at));
  });
}

/** Runs `read`; a Fault of it is thrown again with the place before its message. */
function placed<Value>(place: string, read: () => Value): Value {
  try {
    return read();
  } catch (thrown) {
    throw thrown instanceof Fault ? at(place, thrown) : thrown;
  }
}

export function at(place: string, fault: Fault): Fault {
  const options = fault.remedy ? { remedy: fault.remedy } : {};
  return new Fault(fault.code, `${place}: ${fault.message}`, { ...options, cause: fault });
}
