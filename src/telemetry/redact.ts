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
  const values = [...new Set(secrets.filter((secret) => secret.length >= shortestSecret).flatMap(encodingsOf))];
  const known = values.length === 0 ? undefined : new RegExp(values.map(literal).join("|"));
  return (text) => {
    const found = known?.test(text) ? values.flatMap((value) => occurrences(text, value)) : [];
    return hide(text, [...found, ...findTokens(text)]);
  };
}

function literal(value: string): string {
  return value.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

/** One-off form of createRedactor. */
export function redact(text: string, secrets: readonly string[]): string {
  return createRedactor(secrets)(text);
}

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

function encodingsOf(secret: string): string[] {
  const percent = percentEncoded(secret);
  const encodings = [
    percent,
    percent.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    percent.replaceAll("%20", "+"),
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret).toString("base64"),
    Buffer.from(secret).toString("base64url"),
    ...embeddedBase64(secret),
  ];
  return [secret, ...encodings.filter((encoding) => encoding.length >= shortestEncoding)];
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
