import type { DomainRule } from "../protocol/scope.ts";
import { refuseRule } from "./rule-refusal.ts";

/**
 * The host of a `WebFetch(domain:...)` rule. Only names: a path, port or scheme could not be held across redirects and
 * is refused, as are addresses, which many names lead to. Throws Fault `rule`.
 */
export function parseWebRule(id: string, specifier: string | undefined): DomainRule {
  if (specifier === undefined) return { id, tool: "WebFetch" };
  const written = /^domain:(.*)$/s.exec(specifier.trim())?.[1]?.trim();
  if (written === undefined) throw refuseRule(id, "its specifier is not a domain", remedyFor(specifier));
  if (/^\*?$/.test(written)) throw refuseRule(id, "it names no domain", "write WebFetch alone to mean every host");
  const reason = refusedHost(written);
  if (reason) throw refuseRule(id, reason, remedyFor(written));
  const isBelow = written.startsWith("*.");
  const host = hostOf(isBelow ? written.slice(2) : written);
  if (host === undefined) {
    throw refuseRule(id, `${JSON.stringify(written)} is no domain name`, "write one such as example.com");
  }
  return { id, tool: "WebFetch", domain: isBelow ? `*.${host}` : host };
}

/**
 * A host as it is compared: lower case, in ASCII, without a dot at its end. Undefined for what is no name of a host,
 * addresses included.
 */
export function hostOf(written: string): string | undefined {
  if (!/^[^\s/\\@:#?%*]+$/.test(written)) return undefined;
  const ascii = URL.canParse(`http://${written}`) ? new URL(`http://${written}`).hostname.replace(/\.$/, "") : "";
  const isName = ascii.length <= 253 && /^(?:(?!-)[a-z0-9_-]{1,63}(?<!-)\.)*(?!-)[a-z0-9_-]{1,63}(?<!-)$/.test(ascii);
  return isName && !isAddress(ascii) ? ascii : undefined;
}

function isAddress(host: string): boolean {
  return /^[\d.]+$/.test(host) || host.includes("[");
}

/** Whether a rule speaks of a host, in the form that `hostOf` gives. `*.example.com` is every name below, never the apex. */
export function domainCovers(host: string, { domain }: Pick<DomainRule, "domain">): boolean {
  if (domain === undefined) return true;
  return domain.startsWith("*.") ? host.endsWith(domain.slice(1)) : host === domain;
}

function refusedHost(written: string): string | undefined {
  if (written.includes("://")) return "a scheme cannot be enforced";
  if (written.includes("/")) return "a path or a range of addresses cannot be enforced";
  if (/:\d*$/.test(written) && !written.includes("::")) return "a port cannot be enforced";
  if (/^[\d.]+$/.test(written) || written.includes(":") || written.startsWith("["))
    return "an address is no domain, and many names lead to one";
  if (written.replace(/^\*\./, "").includes("*")) return "a star stands only at the beginning, before a dot";
  return undefined;
}

function remedyFor(written: string): string {
  const inside = /([\p{L}\p{N}_-]+(?:\.[\p{L}\p{N}_-]+)*\.\p{L}{2,})/u.exec(written)?.[1];
  return `write WebFetch(domain:${inside ?? "example.com"})`;
}
