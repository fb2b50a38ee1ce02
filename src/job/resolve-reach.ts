import type { Setup } from "../protocol/job.ts";
import { readNetworkHost } from "../protocol/network-host.ts";

interface Written {
  network?: readonly string[] | undefined;
  secrets?: readonly string[] | undefined;
}

/** The network and the secrets of a setup, a step or a check: each once, hosts in one spelling. */
export function reachOf({ network, secrets }: Written): Pick<Setup, "network" | "secrets"> {
  return {
    ...(network ? { network: [...new Set(network.map(asOneSpelling))] } : {}),
    ...(secrets ? { secrets: [...new Set(secrets)] } : {}),
  };
}

function asOneSpelling(written: string): string {
  const read = readNetworkHost(written);
  if ("problem" in read) return written;
  return read.port === undefined ? read.host : `${read.host}:${read.port}`;
}
