import { Fault } from "../protocol/failure.ts";
import type { NetworkTarget } from "../sandbox/driver.ts";
import type { Ceiling } from "../settings/ceiling.ts";
import type { Job } from "./job.ts";

/**
 * Which hosts a job's `network` means, at most what the operator allows. Throws Fault `not_allowed` for one beyond that:
 * a command that lacks part of its network would fail in a way that says something else.
 */
export async function networkTargets(
  written: readonly string[],
  { ceiling }: { job: Job; ceiling: Ceiling },
): Promise<NetworkTarget[]> {
  return written.map((text) => {
    const target = targetOf(text);
    if (isWithin(target, ceiling.network.hosts)) return target;
    throw new Fault("not_allowed", `the job asks for the network host ${text}, which the operator does not allow`, {
      remedy: `write network: { hosts: [${text}] } in sheaf.config.yaml, or leave it out of the job`,
    });
  });
}

/** `host` alone is its port 443. */
function targetOf(text: string): NetworkTarget {
  const [, host = "", port = "443"] = /^(.*?)(?::(\d+))?$/s.exec(text.toLowerCase()) ?? [];
  return { host, port: Number(port) };
}

function isWithin(target: NetworkTarget, hosts: readonly string[] | undefined): boolean {
  if (!hosts) return true;
  return hosts.some((allowed) => {
    const [, host = "", port] = /^(.*?)(?::(\d+))?$/s.exec(allowed.toLowerCase()) ?? [];
    const isHost = host.startsWith("*.") ? target.host.endsWith(host.slice(1)) : target.host === host;
    return isHost && (port === undefined || Number(port) === target.port);
  });
}
