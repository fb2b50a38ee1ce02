import { constants, lstatSync, readdirSync, readlinkSync, realpathSync, statSync } from "node:fs";

/**
 * What of the machine's own system a command sees: programs and libraries, and of /etc only what they cannot do without.
 * No account, key, mail, log, service or name of this machine is among it.
 */
export interface SystemFolders {
  /** Absolute folders that are shown where they are. */
  shown: readonly string[];
  /** Absolute files that a command gets a copy of: half a dozen mounts would cost more than all the rest. */
  copied: readonly string[];
  /** Links by their place, and what they say. */
  links: readonly (readonly [place: string, target: string])[];
}

const roots = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];

/**
 * By folder or file; what a machine does not have is left out. Debian's Maven and R do not start without theirs; files
 * in which owners of machines keep passwords for registries (maven/settings.xml, R/Renviron.site, npmrc) are not here.
 */
const settings = [
  "R/Makeconf",
  "R/Renviron",
  "R/javaconf",
  "R/ldpaths",
  "R/repositories",
  "alternatives",
  "crypto-policies",
  "fonts",
  "ld.so.cache",
  "ld-musl-x86_64.path",
  "ld-musl-aarch64.path",
  "localtime",
  "maven/logging/simplelogger.properties",
  "maven/m2.conf",
  "maven/toolchains.xml",
  "mime.types",
  "os-release",
  "php.d",
  "php.ini",
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
  const found = [...roots, ...settingsAmong(namesIn)].map((place) => ({
    place,
    link: linkIntoSystem(place),
    kind: kindOf(place),
  }));
  return {
    shown: [
      "/usr",
      ...found.flatMap(({ place, link, kind }) => (link === undefined && kind === "folder" ? place : [])),
    ],
    copied: found.flatMap(({ place, link, kind }) => (link === undefined && kind === "file" ? place : [])),
    links: found.flatMap(({ place, link }) => (link === undefined ? [] : [[place, link] as const])),
  };
}

/** Of languages that keep one for each version. A web server's part of PHP's is not for commands. */
export function settingsAmong(list: (folder: string) => readonly string[]): string[] {
  const names = list("/etc");
  const javas = names.filter((name) => /^java(-[\w.-]+)?$/.test(name));
  const debians = list("/etc/php").flatMap((version) => [`php/${version}/cli`, `php/${version}/mods-available`]);
  const alpines = names
    .filter((name) => /^php\d+$/.test(name))
    .flatMap((name) => [`${name}/php.ini`, `${name}/conf.d`]);
  return [...settings, ...javas, ...debians, ...alpines].map((name) => `/etc/${name}`);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
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

/** A file that not everybody may read is nothing for a command either. */
function kindOf(place: string): "folder" | "file" | undefined {
  try {
    const { mode, size } = statSync(place);
    const isFile = (mode & constants.S_IFMT) === constants.S_IFREG && (mode & 0o004) !== 0 && size < mostBytes;
    if ((mode & constants.S_IFMT) === constants.S_IFDIR) return "folder";
    return isFile ? "file" : undefined;
  } catch {
    return undefined;
  }
}

/** Far above what any of them holds. */
const mostBytes = 16 * 2 ** 20;
