import { isRegistryConfiguration, registryHosts } from "../../job/registry-hosts.ts";
import { Fault } from "../../protocol/failure.ts";
import type { JobSpec } from "../../protocol/job.ts";
import { registryWord } from "../../protocol/job-file-reach.ts";
import { coversHost, readNetworkHost } from "../../protocol/network-host.ts";
import type { NetworkTarget } from "../../sandbox/driver.ts";
import type { Ceiling } from "../../settings/ceiling.ts";
import { toText } from "../../workspace/raw-path.ts";
import type { Repository } from "../../workspace/repository.ts";
import { readBaseTexts } from "../plan/read-base-texts.ts";

/**
 * Which hosts a job's `network` means, at most what the operator allows. A host that the job names and the operator does
 * not allow is refused: a command that lacks part of its network would fail in a way that says something else. Of the
 * repository's registries those are taken that are allowed, and at least one must be.
 */
export interface NetworkAround {
  spec: JobSpec;
  repository: Repository;
  ceiling: Pick<Ceiling, "network">;
}

/** Throws Fault `not_allowed`, or `job_file` for `registry` where the repository has none. */
export async function networkTargets(written: readonly string[], around: NetworkAround): Promise<NetworkTarget[]> {
  const { hosts } = around.ceiling.network;
  const named = written.filter((text) => text !== registryWord).map((text) => allowedTarget(text, hosts));
  if (!written.includes(registryWord)) return named;
  const registries = await registriesOf(around);
  const allowed = registries.map(targetOf).filter((target) => isWithin(target, hosts));
  if (allowed.length > 0) return [...named, ...allowed];
  throw notAllowed(`its package registries (${registries.join(", ")})`, registries[0] ?? "");
}

const defaultPort = 443;

function allowedTarget(text: string, hosts: readonly string[] | undefined): NetworkTarget {
  const target = targetOf(text);
  if (isWithin(target, hosts)) return target;
  throw notAllowed(`the network host ${text}`, text);
}

function notAllowed(what: string, entry: string): Fault {
  return new Fault("not_allowed", `the job asks for ${what}, which the operator does not allow`, {
    remedy: `write network: { hosts: ["${entry}"] } in sheaf.config.yaml, or leave it out of the job`,
  });
}

/** A host was read when the job was; one that does not read any more, from an old log, is granted to nobody. */
function targetOf(text: string): NetworkTarget {
  const read = readNetworkHost(text);
  if ("problem" in read) throw new Fault("job_file", `network: ${JSON.stringify(text)}: ${read.problem}`);
  return { host: read.host, port: read.port ?? defaultPort };
}

/** An entry of the operator's without a port means any. */
function isWithin(target: NetworkTarget, hosts: readonly string[] | undefined): boolean {
  if (!hosts) return true;
  return hosts.some((pattern) => {
    const read = readNetworkHost(pattern);
    if ("problem" in read || (read.port !== undefined && read.port !== target.port)) return false;
    // `*.a.example.com` is within `*.example.com`, and so is a pattern within itself.
    return read.host === target.host || coversHost(read.host, target.host);
  });
}

/** By the base's tree: what a task writes into a manifest opens nothing. */
const known = new WeakMap<Repository, Map<string, Promise<string[]>>>();

async function registriesOf({ spec, repository }: NetworkAround): Promise<string[]> {
  const ofTrees = known.get(repository) ?? new Map<string, Promise<string[]>>();
  known.set(repository, ofTrees);
  const { tree } = spec.base;
  const found = ofTrees.get(tree) ?? readRegistries(repository, tree);
  ofTrees.set(tree, found);
  const hosts = await found;
  if (hosts.length > 0) return hosts;
  throw new Fault("job_file", "network: registry: the repository has no manifest of a package manager that is known", {
    remedy: "name the hosts, such as network: [registry.npmjs.org]",
  });
}

async function readRegistries(repository: Repository, tree: string): Promise<string[]> {
  const { entries } = await repository.listings.get(tree);
  const paths = [...entries.values()].flatMap(({ path }) => toText(path) ?? []);
  return registryHosts({ paths, texts: await readBaseTexts(repository, tree, isRegistryConfiguration) });
}
