import { findTokens } from "./secret-tokens.ts";

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
  const values = formsOf(secrets);
  const known = values.length === 0 ? undefined : new RegExp(values.map(literal).join("|"));
  return (text) => {
    const found = known?.test(text) ? values.flatMap((value) => occurrences(text, value)) : [];
    return hide(text, [...found, ...halvesAtCuts(text, values), ...findTokens(text)]);
  };
}

function literal(value: string): string {
  return value.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

/** One-off form of createRedactor. */
export function redact(text: string, secrets: readonly string[]): string {
  return createRedactor(secrets)(text);
}

/** Finds out whether a text or a file holds one of the secrets, in any form that would be hidden from a log. */
export function createSecretFinder(secrets: readonly string[]): (text: string | Buffer) => boolean {
  const values = formsOf(secrets.filter((secret) => secret.length >= shortestLine));
  return (text) => values.some((value) => text.includes(value));
}

/** A key of several lines may be printed with something before each of them. */
function formsOf(secrets: readonly string[]): string[] {
  const lines = secrets.flatMap((secret) => {
    const parts = secret.split(/[\r\n]+/).map((line) => line.trim());
    return parts.length > 1 ? parts.filter((line) => line.length >= shortestLine) : [];
  });
  const long = [...secrets, ...lines].filter((secret) => secret.length >= shortestSecret);
  return [...new Set(long.flatMap(encodingsOf))];
}

const shortestLine = 8;
const shortestSecret = 4;
const shortestEncoding = 6;

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

/** As capture (sandbox/capture.ts) says that it left out the middle. */
const cut = /\n\.\.\. \d+ bytes left out \.\.\.\n/g;

/** Where output was cut, a secret may have been cut with it: its beginning before that place, its end behind it. */
function halvesAtCuts(text: string, values: readonly string[]): Finding[] {
  return Array.from(text.matchAll(cut), ({ index, 0: mark }) => [
    ...longestOf(
      values,
      (value, length) => index >= length && text.startsWith(value.slice(0, length), index - length),
      (length) => ({
        start: index - length,
        end: index,
      }),
    ),
    ...longestOf(
      values,
      (value, length) => text.startsWith(value.slice(-length), index + mark.length),
      (length) => ({
        start: index + mark.length,
        end: index + mark.length + length,
      }),
    ),
  ]).flat();
}

function longestOf(
  values: readonly string[],
  isThere: (value: string, length: number) => boolean,
  place: (length: number) => { start: number; end: number },
): Finding[] {
  return values.flatMap((value) => {
    for (let length = value.length - 1; length >= shortestHalf; length--) {
      if (isThere(value, length)) return [{ ...place(length), kind: "secret" }];
    }
    return [];
  });
}

const shortestHalf = 3;

function encodingsOf(secret: string): string[] {
  const percent = percentEncoded(secret);
  const encodings = [
    percent,
    percent.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    percent.replaceAll("%20", "+"),
    JSON.stringify(secret).slice(1, -1),
    xmlEscaped(secret),
    Buffer.from(secret).toString("hex"),
    Buffer.from(secret).toString("hex").toUpperCase(),
    Buffer.from(secret).toString("base64"),
    Buffer.from(secret).toString("base64url"),
    ...embeddedBase64(secret),
  ];
  return [secret, ...encodings.filter((encoding) => encoding.length >= shortestEncoding)];
}

function xmlEscaped(secret: string): string {
  const named: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return secret.replaceAll(/[&<>"]/g, (character) => named[character] ?? character);
}

function percentEncoded(secret: string): string {
  return encodeURIComponent(secret.toWellFormed());
}

/**
 * Inside a longer text (`user:secret`) the base64 of a secret depends on where its first byte falls in a group of
 * three. For each of the three places, the characters that the secret alone decides.
 */
function embeddedBase64(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [0, 1, 2].flatMap((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
    const own = encoded.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
    return [own, own.replaceAll("+", "-").replaceAll("/", "_")];
  });
}
