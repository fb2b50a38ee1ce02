import { halvesAtCuts } from "./halved-secrets.ts";
import { secretForms } from "./secret-forms.ts";
import { findTokens } from "./secret-tokens.ts";
import { findWrapped, unwrapped } from "./wrapped-lines.ts";

/**
 * Replaces what must not be kept or sent: known secret values in any of their usual encodings, and anything with the
 * format of a known token. It never guesses by entropy, and takes time linear in the text, whatever the text is.
 */
export type Redactor = (text: string) => string;

/** A stretch of text to hide, and what to call it: `[redacted:kind]`. `end` is exclusive. */
export interface Finding {
  start: number;
  end: number;
  kind: string;
}

/** `secrets` shorter than 4 characters are ignored: hiding them would hide everything. Build it once, use it often. */
export function createRedactor(secrets: readonly string[]): Redactor {
  const { all, wrapped } = secretForms(secrets);
  const known = anyOf(all);
  const carried = anyOf(wrapped);
  return (text) => {
    const found = known?.test(text) ? all.flatMap((value) => occurrences(text, value)) : [];
    const tokens = findTokens(text);
    // Also as JSON writes it. What goes over several lines, and what was cut out between two, is nowhere else.
    if (!(text.includes("\n") || text.includes("\\n"))) return hide(text, [...found, ...tokens]);
    const inLines = carried ? findWrapped(text, (joined) => carried.test(joined), wrapped, occurrences) : [];
    return hide(text, [...found, ...inLines, ...halvesAtCuts(text, all), ...tokens]);
  };
}

function anyOf(values: readonly string[]): RegExp | undefined {
  const literals = values.map((value) => value.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"));
  return literals.length === 0 ? undefined : new RegExp(literals.join("|"));
}

/** One-off form of createRedactor. */
export function redact(text: string, secrets: readonly string[]): string {
  return createRedactor(secrets)(text);
}

/** Finds out whether a text or a file holds one of the secrets, in any form that would be hidden from a log. */
export function createSecretFinder(secrets: readonly string[]): (text: string | Buffer) => boolean {
  const { all, wrapped } = secretForms(secrets.filter((secret) => secret.length >= shortestInFile));
  return (text) => {
    if (all.some((value) => text.includes(value))) return true;
    const joined = unwrapped(typeof text === "string" ? text : text.toString("latin1"))?.text;
    return joined !== undefined && wrapped.some((value) => joined.includes(value));
  };
}

/** Of a secret that is looked for in files. */
const shortestInFile = 8;

/** All findings are places in the original text, so one replacement can neither hide nor split another. */
function hide(text: string, findings: Finding[]): string {
  if (findings.length === 0) return text;
  findings.sort((one, other) => one.start - other.start || other.end - one.end);
  const pieces: string[] = [];
  let end = 0;
  for (const finding of findings) {
    if (finding.start >= end) pieces.push(text.slice(end, finding.start), `[redacted:${finding.kind}]`);
    end = Math.max(end, finding.end);
  }
  pieces.push(text.slice(end));
  return pieces.join("");
}

/** Overlapping ones too, each extending the stretch that is hidden. */
function occurrences(text: string, value: string): Finding[] {
  const found: Finding[] = [];
  let at = text.indexOf(value);
  while (at !== -1) {
    found.push({ start: at, end: at + value.length, kind: "secret" });
    at = text.indexOf(value, at + 1);
  }
  return found;
}
