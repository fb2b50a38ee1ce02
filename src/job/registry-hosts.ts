import { readNetworkHost } from "../protocol/network-host.ts";
import { ecosystems } from "./registry-ecosystems.ts";

/**
 * The hosts that `network: [registry]` means: where the package managers of a repository get packages, by its manifests
 * and their own configuration. Only registries: what an install script fetches elsewhere has to be named by itself.
 */
export interface RegistryView {
  /** Every file of the base. */
  paths: readonly string[];
  /** Of those that `isRegistryConfiguration` takes. */
  texts: ReadonlyMap<string, string>;
}

/** Of each text. Whoever pushes a branch wrote it, and all of it is read at once while everybody else waits. */
const mostCharacters = 64 * 1024;

/** `host:port`, each once, sorted; empty where no manifest is known. Pure. */
export function registryHosts({ paths, texts }: RegistryView): string[] {
  const own = paths.filter((path) => !isForeign(path));
  const used = ecosystems.filter(({ manifests }) => own.some((path) => manifests.test(path)));
  const hosts = used.flatMap(({ standard, configuration, companions = {} }) => {
    const read = [...texts].flatMap(([path, text]) =>
      configuration.flatMap(({ file, urls }) =>
        file.test(path) && !isForeign(path) ? [urls(text.slice(0, mostCharacters))] : [],
      ),
    );
    const usual = read.some((one) => one.isInstead) ? [] : standard;
    const found = [...usual, ...read.flatMap((one) => one.urls.flatMap(hostOf))];
    return found.flatMap((host) => [host, ...(companions[host] ?? [])]);
  });
  return [...new Set(hosts.map((host) => (host.includes(":") ? host : `${host}:443`)))].sort();
}

/** Whether the text of that file says where packages come from. */
export function isRegistryConfiguration(path: string): boolean {
  return !isForeign(path) && ecosystems.some(({ configuration }) => configuration.some(({ file }) => file.test(path)));
}

/** Packages of others that a repository keeps a copy of, and what only tests use. */
function isForeign(path: string): boolean {
  return /(?:^|\/)(?:node_modules|vendor|third_party|fixtures|testdata)\//.test(path);
}

/** A host, or with its port where that is not 443. What is no name, or waits for a variable, cannot be granted. */
function hostOf(written: string): string[] {
  const text = written.replace(/^sparse\+/, "");
  if (!/^https?:\/\//i.test(text) || text.includes("$") || !URL.canParse(text)) return [];
  const { protocol, hostname, port } = new URL(text);
  if ("problem" in readNetworkHost(hostname)) return [];
  const used = port === "" ? (protocol === "http:" ? "80" : "443") : port;
  return [used === "443" ? hostname : `${hostname}:${used}`];
}
