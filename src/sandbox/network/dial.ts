import { connect, isIPv6, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { coversHost, readNetworkHost } from "../../protocol/network-host.ts";
import type { NetworkTarget } from "../driver.ts";
import { refusedAddress } from "./address.ts";
import type { Resolve } from "./resolve.ts";

/**
 * Connects to a host by an address that was judged, and by no other: the name is looked up once, one bad answer spoils
 * them all, and what is connected to is what was looked at.
 */
export interface DialOptions {
  resolve: Resolve;
  /** Hosts, with ports or for any port, that may have addresses in a network of the operator's own. */
  privateHosts: readonly string[];
  /** Ends connections and attempts alike. */
  signal: AbortSignal;
}

export type Dialled = { socket: Socket } | { status: 403 | 502; reason: string; address?: string };

const connectMs = 20_000;

export async function dial(target: NetworkTarget, { resolve, privateHosts, signal }: DialOptions): Promise<Dialled> {
  const { host } = target;
  const isOwn = isNamed(target, privateHosts);
  const addresses = await resolve(host, { isOwn }).catch(() => []);
  if (addresses.length === 0) return { status: 502, reason: `${host} has no address that could be found` };
  for (const address of addresses) {
    const reason = badAddress(address, isOwn);
    if (reason === undefined) continue;
    const opens = `the operator can open it with network: { private: [${host}] } in sheaf.config.yaml`;
    return { status: 403, reason: `${host} leads to ${address}, ${reason}; ${opens}`, address };
  }
  return connected(target, addresses, signal);
}

function isNamed({ host, port }: NetworkTarget, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => {
    const read = readNetworkHost(pattern);
    return "host" in read && coversHost(read.host, host) && (read.port === undefined || read.port === port);
  });
}

function badAddress(address: string, isOwn: boolean): string | undefined {
  const kind = refusedAddress(address);
  if (kind) return kind.canBeOpened && isOwn ? undefined : kind.name;
  const isOfThisMachine = Object.values(networkInterfaces()).some((list) =>
    list?.some((one) => one.address === address),
  );
  return isOfThisMachine && !isOwn ? "an address of this machine" : undefined;
}

function connected({ host, port }: NetworkTarget, addresses: readonly string[], signal: AbortSignal): Promise<Dialled> {
  if (signal.aborted) return Promise.resolve({ status: 502, reason: "the command has ended" });
  const answers = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
  const socket = connect({
    host,
    port,
    signal,
    allowHalfOpen: true,
    noDelay: true,
    autoSelectFamily: true,
    // The answers that were judged; nobody asks a second time.
    lookup: (_host, _options, answer) => answer(null, answers),
  });
  return new Promise((settle) => {
    const fail = (why: string) => {
      socket.destroy();
      settle({ status: 502, reason: `${host}:${port} could not be connected to: ${why}` });
    };
    const late = setTimeout(() => fail("no answer"), connectMs);
    const failed = (cause: Error & { code?: string }) => fail(cause.code ?? cause.message);
    socket.once("error", failed);
    socket.once("close", () => clearTimeout(late));
    socket.once("connect", () => {
      clearTimeout(late);
      socket.off("error", failed);
      // Whoever takes it over hears of its end by "close".
      socket.on("error", () => {});
      settle({ socket });
    });
  });
}
