import { BlockList, connect, isIPv6, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { coversHost, readNetworkHost } from "../../protocol/network-host.ts";
import type { NetworkTarget } from "../driver.ts";
import { type AddressKind, carriedAddress, plainAddress, refusedAddress } from "./address.ts";
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
  const addresses = (await resolve(host, { isOwn }).catch(() => [])).map(plainAddress);
  if (addresses.length === 0) return { status: 502, reason: `${host} has no address that could be found` };
  for (const address of addresses) {
    const bad = badAddress(address);
    if (bad === undefined || (bad.canBeOpened && isOwn)) continue;
    const remedy = bad.canBeOpened
      ? `the operator can open it with network: { private: [${host}] } in sheaf.config.yaml`
      : "such an address is never connected to";
    return { status: 403, reason: `${host} leads to ${address}, ${bad.name}; ${remedy}`, address };
  }
  return connected(target, addresses, signal);
}

function isNamed({ host, port }: NetworkTarget, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => {
    const read = readNetworkHost(pattern);
    return "host" in read && coversHost(read.host, host) && (read.port === undefined || read.port === port);
  });
}

function badAddress(address: string): AddressKind | undefined {
  const kind = refusedAddress(address);
  if (kind) return kind;
  return isOfThisMachine(address) ? { name: "an address of this machine", canBeOpened: true } : undefined;
}

/** Also by what an address carries: a translator in the network may lead it back here. */
function isOfThisMachine(address: string): boolean {
  const own = new BlockList();
  for (const one of Object.values(networkInterfaces()).flat()) {
    if (one) own.addAddress(one.address, isIPv6(one.address) ? "ipv6" : "ipv4");
  }
  return [address, carriedAddress(address)].some(
    (one) => one !== undefined && own.check(one, isIPv6(one) ? "ipv6" : "ipv4"),
  );
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
