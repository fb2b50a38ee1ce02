import { lstatSync, readdirSync, readlinkSync, realpathSync } from "node:fs";

/**
 * What of the machine's own system a command sees: programs and libraries, and of /etc only what they cannot do without.
 * No account, key, mail, log, service or name of this machine is among it.
 */
export interface SystemFolders {
  /** Absolute paths that are shown where they are. */
  shown: readonly string[];
  /** Links by their place, and what they say. */
  links: readonly (readonly [place: string, target: string])[];
}

const roots = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];

/** By folder or file; what a machine does not have is left out. */
const settings = [
  "alternatives",
  "crypto-policies",
  "fonts",
  "ld.so.cache",
  "ld.so.conf",
  "ld.so.conf.d",
  "ld-musl-x86_64.path",
  "ld-musl-aarch64.path",
  "localtime",
  "mime.types",
  "os-release",
  "pki/ca-trust",
  "pki/java",
  "pki/tls/certs",
  "pki/tls/cert.pem",
  "pki/tls/openssl.cnf",
  "protocols",
  "services",
  "ssl/cert.pem",
  "ssl/certs",
  "ssl/openssl.cnf",
  "timezone",
];

export function systemFolders(): SystemFolders {
  const javas = readdirSync("/etc").filter((name) => /^java(-[\w.-]+)?$/.test(name));
  const etc = [...settings, ...javas].map((name) => `/etc/${name}`);
  const shown = ["/usr"];
  const links: [string, string][] = [];
  for (const place of [...roots, ...etc]) {
    const link = linkIntoSystem(place);
    if (link !== undefined) links.push([place, link]);
    else if (isThere(place)) shown.push(place);
  }
  return { shown, links };
}

/** A path that is a part of the system, and needs no folder of its own to be seen. */
export function isInSystem(path: string): boolean {
  return ["/usr", ...roots].some((root) => path === root || path.startsWith(`${root}/`));
}

/** What a link says, where it leads into what is shown anyway. */
function linkIntoSystem(place: string): string | undefined {
  try {
    if (!lstatSync(place).isSymbolicLink() || !realpathSync(place).startsWith("/usr/")) return undefined;
    return roots.includes(place) ? readlinkSync(place) : realpathSync(place);
  } catch {
    return undefined;
  }
}

function isThere(place: string): boolean {
  try {
    realpathSync(place);
    return true;
  } catch {
    return false;
  }
}
