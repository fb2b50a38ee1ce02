/** A host as rules, jobs and settings name it: in lower case, without a dot at its end. `*.` before it: names below it. */
export interface NetworkHost {
  host: string;
  /** 1 to 65535; absent where none was written. */
  port?: number;
}

/**
 * Reads `api.example.com`, `*.example.com` or either with `:port`. An address is no host: what a name leads to is looked
 * up and judged when it is used, and a number in any of its spellings would pass by that. Pure.
 */
export function readNetworkHost(written: string): NetworkHost | { problem: string } {
  const [, name = "", digits] = /^(.*?)(?::(\d{1,5}))?$/s.exec(written) ?? [];
  const host = name.toLowerCase().replace(/\.$/, "");
  const problem = problemOf(host, written);
  if (problem !== undefined) return { problem };
  if (digits === undefined) return { host };
  const port = Number(digits);
  if (port >= 1 && port <= 65_535) return { host, port };
  return { problem: `${digits} is no port; write one from 1 to 65535` };
}

/** Whether the name is one that `pattern` means. `*.example.com` covers every name below it, and not itself. */
export function coversHost(pattern: string, host: string): boolean {
  return pattern.startsWith("*.")
    ? host.length > pattern.length - 1 && host.endsWith(pattern.slice(1))
    : host === pattern;
}

const example = "write api.example.com, *.example.com or api.example.com:8443";

function problemOf(host: string, written: string): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(written)) return `this is no host but an address of a page; ${example}`;
  if (/[^\0-\x7f]/.test(host)) return asciiForm(host);
  if (/.\*|^\*(?!\.)/s.test(host)) return `a star stands alone before the first dot; ${example}`;
  return problemOfLabels(host, host.replace(/^\*\./, "").split("."));
}

function problemOfLabels(host: string, labels: readonly string[]): string | undefined {
  if (isNumber(labels.at(-1) ?? "") || host.includes("[")) return "this is an address; write the name of the host";
  if (host.length > 253 || !labels.every(isLabel)) return `this is no host; ${example}`;
  if (host.startsWith("*.") && labels.length < 2) return `${host} is too much of the network; ${example}`;
  return undefined;
}

function isLabel(label: string): boolean {
  return /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label);
}

/** A name that ends so is read as an IPv4 address: `127.1`, `0x7f.1`, `2130706433`. */
function isNumber(label: string): boolean {
  return /^(?:\d+|0x[0-9a-f]*)$/.test(label);
}

function asciiForm(host: string): string {
  const url = `http://${host.replace(/^\*\./, "")}`;
  const ascii = URL.canParse(url) ? new URL(url).hostname : undefined;
  return ascii ? `write this host in letters of ASCII: ${ascii}` : `this is no host; ${example}`;
}
