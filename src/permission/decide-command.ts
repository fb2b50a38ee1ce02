import type { CommandRule, Decision, Scope, ScopeLayer } from "../protocol/scope.ts";
import { type FoundCommands, findCommands } from "../shell/find-commands.ts";
import type { CommandRedirect, SimpleCommand } from "../shell/parse-command.ts";
import { type Admission, admit } from "./command-admission.ts";
import { dangerOfBuiltin } from "./command-builtins.ts";
import { dangerOf } from "./command-danger.ts";
import { definedPrograms } from "./command-harmless.ts";
import { commandCovers } from "./command-match.ts";
import { couldReach } from "./command-reach.ts";
import { unwrap } from "./command-unwrap.ts";
import { decide } from "./decide.ts";
import { openEnded } from "./open-ended.ts";
import { rulesOf, weigh } from "./weigh.ts";

/**
 * The answer to "may this run start that command?". A rule that allows is believed only about a line that was understood
 * to the last character; a rule that forbids or asks looks through wrappers, substitutions and scripts, and what cannot
 * be looked through counts as forbidden. Bare `Bash` needs no understanding; rules that forbid hold all the same.
 */
export function decideCommand(scope: Scope, command: string, view: CommandView = lexical(scope)): Decision {
  if (command.includes("\0")) return shell("deny", "a command holds no NUL character");
  const admission = admit(command);
  const asked: Asked = { scope, command, admission, found: hasLimits(scope) ? findCommands(command) : nothingFound };
  const decisions = admission.commands.length > 0 ? admission.commands.map((each) => decideOne(asked, each)) : [];
  const decision = strictest(decisions.length > 0 ? decisions : [decideOne(asked, undefined)]);
  if (decision.effect === "deny" && decision.rule !== "no rule") return decision;
  const unheld = unreadable(asked, "deny");
  if (unheld || decision.effect !== "allow") return unheld ?? decision;
  return unreadable(asked, "ask") ?? redirected(asked, decision, view);
}

/** What a decision about a command needs to know of the workspace. */
export interface CommandView {
  /** About writing to a path, relative to the repository, with links resolved by whoever can see them. */
  decideRedirect(path: string): Decision;
}

/** Without rules that deny or ask nothing is looked for. */
function hasLimits({ layers }: Scope): boolean {
  return layers.some((layer) => rulesOf(layer, "deny", "Bash").length + rulesOf(layer, "ask", "Bash").length > 0);
}

const nothingFound: FoundCommands = { commands: [], unreadable: undefined };

interface Asked {
  scope: Scope;
  command: string;
  found: FoundCommands;
  admission: Admission;
}

function lexical(scope: Scope): CommandView {
  return { decideRedirect: (path) => decide(scope, "Edit", path, { isCaseInsensitive: false }) };
}

/** About one command of the line, or about a line that was not understood. */
function decideOne(asked: Asked, command: SimpleCommand | undefined): Decision {
  const decision = weigh(asked.scope, {
    tool: "Bash",
    about: `the command ${shown(command ? command.words.join(" ") : asked.command)}`,
    covers: (rule, list) => (list === "allow" ? admits(rule, command) : forbids(rule, asked.found)),
  });
  if (decision.effect === "allow" || decision.rule !== "no rule") return decision;
  const reason = whyNot(asked, command);
  return reason === undefined ? decision : shell(decision.effect, reason);
}

function admits(rule: CommandRule, command: SimpleCommand | undefined): boolean {
  if (rule.words === undefined) return true;
  return command !== undefined && admittedBy(rule, command.words);
}

/** By its own words, or by those it runs where it is one of three wrappers. */
function admittedBy(rule: CommandRule, words: readonly string[]): boolean {
  if (coversSafely(rule, words)) return true;
  const inner = unwrap(words);
  return inner > 0 && admittedBy(rule, words.slice(inner));
}

function coversSafely(rule: CommandRule, words: readonly string[]): boolean {
  if (!commandCovers(words, rule) || dangerOfBuiltin(words)) return false;
  return rule.isWhole === true || dangerOf(words, rule.words?.length ?? 0) === undefined;
}

function forbids(rule: CommandRule, found: FoundCommands): boolean {
  if (rule.words === undefined) return true;
  return found.commands.some(({ words }) => [words, ...definedPrograms(words)].some((each) => couldReach(each, rule)));
}

/** Says what stands in the way of rules that would have spoken of it. */
function whyNot({ scope, admission }: Asked, command: SimpleCommand | undefined): string | undefined {
  const rules = scope.layers.flatMap((layer) => rulesOf(layer, "allow", "Bash")).filter(({ words }) => words);
  if (rules.length === 0) return undefined;
  if (admission.refused !== undefined || !command) return admission.refused;
  for (let words = command.words; words.length > 0; words = words.slice(unwrap(words) || words.length)) {
    const covering = rules.filter((rule) => commandCovers(words, rule));
    if (covering.length === 0) continue;
    const longest = Math.max(...covering.map((rule) => rule.words?.length ?? 0));
    return (dangerOfBuiltin(words) ?? dangerOf(words, longest))?.reason;
  }
  return undefined;
}

/** A rule that denies some commands cannot be held where commands cannot be seen; one that asks is asked. */
function unreadable({ scope, found }: Asked, effect: "deny" | "ask"): Decision | undefined {
  const cause = found.unreadable ?? openEnded(found);
  if (cause === undefined) return undefined;
  for (const layer of scope.layers) {
    const rule = rulesOf(layer, effect, "Bash").find(({ words }) => words !== undefined);
    if (rule)
      return { effect, rule: rule.id, source: layer.source, reason: `${cause}, so ${rule.id} could not be held` };
  }
  return undefined;
}

/** A line that was admitted by its rules still writes only where the run may. */
function redirected({ scope, admission }: Asked, decision: Decision, view: CommandView): Decision {
  if (scope.layers.every(isUnread)) return decision;
  const files = admission.commands.flatMap(({ redirects }) => redirects).filter(({ isWrite }) => isWrite);
  const refused = files.map((file) => aboutFile(file, view)).filter(({ effect }) => effect !== "allow");
  return refused.length > 0 ? strictest(refused) : decision;
}

/** Whether this layer lets every command through unread, or does not speak of commands. */
function isUnread(layer: ScopeLayer): boolean {
  const rules = rulesOf(layer, "allow", "Bash");
  return rules.length === 0 || rules.some(({ words }) => words === undefined);
}

function aboutFile({ path }: CommandRedirect, view: CommandView): Decision {
  const decision = view.decideRedirect(path);
  return { ...decision, reason: `writing to ${JSON.stringify(path)}: ${decision.reason}` };
}

function strictest(decisions: readonly Decision[]): Decision {
  const found = (["deny", "ask", "allow"] as const).flatMap((effect) =>
    decisions.filter((decision) => decision.effect === effect),
  );
  return found[0] ?? shell("deny", "it holds no command");
}

function shell(effect: Decision["effect"], reason: string): Decision {
  return { effect, rule: "shell", source: "sheaf", reason };
}

function shown(text: string): string {
  const readable = text.replaceAll("\0", "*");
  return JSON.stringify(readable.length > 120 ? `${readable.slice(0, 120)}...` : readable);
}
