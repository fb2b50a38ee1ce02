import type { Finding } from "./redact.ts";

/**
 * Finds text with the format of a known token. Every expression here is linear on any input: none looks past a
 * run of characters that it does not also consume, so a failed attempt never costs more than a fixed few steps.
 */
export function findTokens(text: string): Finding[] {
  if (!hint.test(text)) return [];
  const simple = formats.flatMap(({ kind, format }) =>
    Array.from(text.matchAll(format), (match) => {
      const start = match.index + (match[1]?.length ?? 0);
      return { start, end: match.index + match[0].length, kind };
    }),
  );
  return [...simple, ...findJwts(text), ...findPrivateKeys(text)];
}

/** Part of every format below; most text holds none of them and is done after this one look. */
const hint =
  /sk-|_pat_|gh[pousr]_|gl[a-z]{2,4}-|xox|AKIA|ASIA|npm_|AIza|[rs]k_|sheaf_|authorization|bearer|:\/\/|eyJ|PRIVATE KEY/i;

/** A first group is context that stays; the rest of the match is hidden. */
const formats: readonly { kind: string; format: RegExp }[] = [
  { kind: "anthropic-key", format: /sk-ant-[\w-]{10,}/g },
  { kind: "openai-key", format: /(?<![A-Za-z0-9])sk-(?:(?:proj|svcacct|admin)-[\w-]{20,}|[A-Za-z0-9]{32,})/g },
  { kind: "github-token", format: /gh[pousr]_[A-Za-z0-9]{20,}/g },
  { kind: "github-token", format: /github_pat_\w{20,}/g },
  { kind: "gitlab-token", format: /gl(?:pat|dt|rt|cbt|ptt|ft|soat)-[\w.-]{16,}/g },
  { kind: "slack-token", format: /xox[a-z]-[A-Za-z0-9-]{10,}/g },
  { kind: "aws-key", format: /(?:AKIA|ASIA)[A-Z0-9]{16}/g },
  { kind: "npm-token", format: /npm_[A-Za-z0-9]{20,}/g },
  { kind: "google-key", format: /AIza[\w-]{35}/g },
  { kind: "stripe-key", format: /[rs]k_(?:live|test)_[A-Za-z0-9]{16,}/g },
  { kind: "sheaf-token", format: /sheaf_[\w-]{40,}/g },
  // Only with a scheme: `authorization: string` in source code is no secret.
  {
    kind: "authorization",
    format:
      /(authorization\\?["']?\s{0,8}[:=]\s{0,8}\\?["']?(?:bearer|basic|token|apikey|digest|negotiate)\s{1,8})[\w.~+/=:-]{4,}/gi,
  },
  { kind: "bearer", format: /(bearer[ \t]{1,8})[\w.~+/=-]{20,}/gi },
  { kind: "url-user-info", format: /(:\/\/)[^\s/?#"'<>@]+(?:@[^\s/?#"'<>@]+)*(?=@)/g },
];

/**
 * A JSON Web Token is a dotted run that starts with the base64 of `{"`. Runs are taken whole and then looked at
 * part by part: an expression for all of it would start again at each `eyJ`.
 */
function findJwts(text: string): Finding[] {
  return Array.from(text.matchAll(/[\w.-]{24,}/g)).flatMap((run) => jwtsIn(run[0], run.index));
}

function jwtsIn(run: string, offset: number): Finding[] {
  const found: Finding[] = [];
  const parts = run.split(".");
  let start = offset;
  for (const [index, part] of parts.entries()) {
    const header = part.indexOf("eyJ");
    const payload = parts[index + 1];
    if (header !== -1 && part.length - header >= 10 && payload !== undefined && payload.length >= 4) {
      // Three parts are signed, five encrypted; what a sentence adds after them may go too.
      const length = parts.slice(index, index + 5).join(".").length;
      found.push({ start: start + header, end: start + length, kind: "jwt" });
    }
    start += part.length + 1;
  }
  return found;
}

/** From BEGIN to the matching END, or to the end of the text where a key was cut off. */
function findPrivateKeys(text: string): Finding[] {
  const found: Finding[] = [];
  const begin = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
  for (let match = begin.exec(text); match; match = begin.exec(text)) {
    const end = endOfKey(text, begin.lastIndex);
    found.push({ start: match.index, end, kind: "private-key" });
    begin.lastIndex = end;
  }
  return found;
}

function endOfKey(text: string, from: number): number {
  const end = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
  end.lastIndex = from;
  return end.test(text) ? end.lastIndex : text.length;
}
