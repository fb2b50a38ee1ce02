/**
 * The forms in which a program may print a text that it was given: as it is, quoted for JSON, XML, a URL or a shell, or
 * as base64 or hexadecimal. Each form is that of a whole text; what nobody's library writes is not thought of.
 */
export interface SecretForms {
  all: string[];
  /** Those of them that are printed in lines of a fixed length. */
  wrapped: string[];
}

/** Secrets shorter than 4 characters have none. Pure. */
export function secretForms(secrets: readonly string[]): SecretForms {
  const long = [...secrets, ...secrets.flatMap(linesOf)].filter((secret) => secret.length >= shortestSecret);
  const [carried, quoted] = [long.flatMap(carriedForms), long.flatMap(quotedForms)].map(longEnough);
  return { all: [...new Set([...long, ...(quoted ?? []), ...(carried ?? [])])], wrapped: [...new Set(carried)] };
}

const shortestSecret = 4;
const shortestLine = 8;
const shortestEncoding = 6;

function longEnough(forms: readonly string[]): string[] {
  return forms.filter((form) => form.length >= shortestEncoding);
}

/** A key of several lines may be printed with something before each of them. */
function linesOf(secret: string): string[] {
  const lines = secret.split(/[\r\n]+/).map((line) => line.trim());
  return lines.length > 1 ? lines.filter((line) => line.length >= shortestLine) : [];
}

/** Quoted once; a log of JSON holds them quoted again, a report in XML holds JSON. */
function quotedForms(secret: string): string[] {
  const json = jsonForms(secret);
  const once = [...json, ...xmlForms(secret), ...shellForms(secret)];
  return [
    ...once,
    ...once.map(asJson),
    ...json.map(asJson).map(asJson),
    ...json.flatMap(xmlForms),
    ...urlForms(secret),
  ];
}

function asJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** Also as Python (no letters but ASCII), Go (nothing that HTML would read) and PHP (slashes too) write it. */
function jsonForms(secret: string): string[] {
  const json = asJson(secret);
  const code = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  const ascii = json.replaceAll(/[\u007f-\uffff]/g, code);
  return [json, ascii, json.replaceAll(/[<>&]/g, code), json.replaceAll("/", "\\/"), ascii.replaceAll("/", "\\/")];
}

/** What is written for quotes depends on the library: Java and JUnit, Go, Python, PHP. */
const xmlQuotes: readonly Readonly<Record<string, string>>[] = [
  {},
  { '"': "&quot;" },
  { '"': "&quot;", "'": "&apos;" },
  { '"': "&quot;", "'": "&#39;" },
  { '"': "&quot;", "'": "&#039;" },
  { '"': "&quot;", "'": "&#x27;" },
  { '"': "&#34;", "'": "&#39;" },
  { '"': "&#x22;", "'": "&#x27;" },
  { "'": "&apos;" },
  { "'": "&#39;" },
];

function xmlForms(secret: string): string[] {
  return xmlQuotes.flatMap((quotes) =>
    [">", "&gt;"].map((greater) => {
      const written: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": greater, ...quotes };
      return secret.replaceAll(/[&<>"']/g, (character) => written[character] ?? character);
    }),
  );
}

/** In single quotes, in double ones, in `$'...'` (and as Python shows it), and with a backslash before each sign. */
function shellForms(secret: string): string[] {
  return [
    secret.replaceAll("'", "'\\''"),
    secret.replaceAll("'", `'"'"'`),
    secret.replaceAll(/["\\$`]/g, "\\$&"),
    asJson(secret).replaceAll('\\"', '"').replaceAll("'", "\\'"),
    secret.replaceAll(/[^\w@%+=:,./\u0080-\uffff-]/g, "\\$&"),
  ];
}

/** Which signs are left as they are depends on the library, and so does the case of the numbers. */
function urlForms(secret: string): string[] {
  const percent = encodeURIComponent(secret.toWellFormed());
  const strict = percent.replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
  const form = strict.replaceAll("%2A", "*").replaceAll("~", "%7E").replaceAll("%20", "+");
  const once = [percent, strict, form, percent.replaceAll("%20", "+"), strict.replaceAll("%2F", "/")];
  const all = [...once, ...once.map((text) => text.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()))];
  return [...all, ...all.map(encodeURIComponent)];
}

function carriedForms(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const hex = bytes.toString("hex");
  return [hex, hex.toUpperCase(), bytes.toString("base64"), bytes.toString("base64url"), ...embeddedBase64(bytes)];
}

/**
 * Inside a longer text (`user:secret`) the base64 of a secret depends on where its first byte falls in a group of
 * three. For each of the three places, the characters that the secret alone decides.
 */
function embeddedBase64(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
    const own = encoded.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
    return [own, own.replaceAll("+", "-").replaceAll("/", "_")];
  });
}
