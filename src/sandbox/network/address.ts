import { BlockList, isIPv4, isIPv6 } from "node:net";

/**
 * Which addresses lead into a network of somebody's own. An address that carries another one inside (mapped, NAT64,
 * 6to4, Teredo) is what it carries. What is not known to be public is refused.
 */
export interface AddressKind {
  /** For a person: "a private address". */
  name: string;
  /** An operator may open it, by naming the host under `network.private`. */
  canBeOpened: boolean;
}

/** Why nothing may be connected to that address; undefined where it is a public one. Pure. */
export function refusedAddress(address: string): AddressKind | undefined {
  const plain = withoutZone(address);
  if (isIPv4(plain)) return kinds.find(({ list }) => list.check(plain, "ipv4"));
  if (!isIPv6(plain)) return { name: "no address", canBeOpened: false };
  const inside = carriedAddress(plain);
  if (inside !== undefined) return refusedAddress(inside);
  const kind = kinds.find(({ list }) => list.check(plain, "ipv6"));
  if (kind) return kind;
  // 2000::/3 is all that was ever given out for public use.
  return ((groupsOf(plain)[0] ?? 0) & 0xe000) === 0x2000
    ? undefined
    : { name: "no public address", canBeOpened: false };
}

/** An IPv4 address in the form of an IPv6 one (`::ffff:1.2.3.4`) as itself: both lead to the same place. Pure. */
export function plainAddress(address: string): string {
  const inside = carriedAddress(address);
  return inside !== undefined && isMapped(groupsOf(withoutZone(address))) ? inside : address;
}

/**
 * Where clouds tell their machines what they are, with credentials: Azure, AWS (EC2, ECS, EKS), Google, Alibaba, Oracle.
 * Nobody needs them for packages, and whoever reads them is that machine.
 */
const ofClouds = [
  "168.63.129.16/32",
  "169.254.169.254/32",
  "169.254.170.2/32",
  "169.254.170.23/32",
  "100.100.100.200/32",
  "192.0.0.192/32",
  "fd00:ec2::254/128",
  "fd00:ec2::23/128",
  "fd20:ce::254/128",
];

/** https://www.iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry, and multicast. */
const kinds = [
  kind("an address that a cloud keeps for its machines", false, ofClouds),
  kind("the unspecified address", false, ["0.0.0.0/8", "::/128"]),
  kind("a loopback address", true, ["127.0.0.0/8", "::1/128"]),
  kind("a private address", true, ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"]),
  kind("a link-local address", true, ["169.254.0.0/16", "fe80::/10"]),
  kind("a carrier's shared address", true, ["100.64.0.0/10"]),
  kind("an address for special use", false, [
    "192.0.0.0/24",
    "192.88.99.0/24",
    "100::/64",
    "100:0:0:1::/64",
    "2001::/23",
    "5f00::/16",
    "64:ff9b:1::/48",
    "2620:4f:8000::/48",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.175.48.0/24",
  ]),
  // Nobody on the internet has these, so some give them to mirrors of their own.
  kind("an address for measurements", true, ["198.18.0.0/15"]),
  kind("an address for documentation", true, [
    "192.0.2.0/24",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "2001:db8::/32",
    "3fff::/20",
  ]),
  kind("a multicast address", false, ["224.0.0.0/4", "ff00::/8"]),
  kind("a reserved address", false, ["240.0.0.0/4"]),
];

function kind(name: string, canBeOpened: boolean, subnets: readonly string[]): AddressKind & { list: BlockList } {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [net = "", bits = ""] = subnet.split("/");
    list.addSubnet(net, Number(bits), isIPv4(net) ? "ipv4" : "ipv6");
  }
  return { name, canBeOpened, list };
}

function withoutZone(address: string): string {
  return address.replace(/%.*$/s, "");
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/s.exec(address);
  const hex = (high: string | undefined, low: string | undefined) => ((Number(high) << 8) | Number(low)).toString(16);
  const written = dotted ? `${dotted[1]}${hex(dotted[2], dotted[3])}:${hex(dotted[4], dotted[5])}` : address;
  const [front = "", back] = written.split("::");
  const read = (part: string) => (part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16)));
  const [before, after] = [read(front), read(back ?? "")];
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
}

/** The IPv4 address that an IPv6 one carries, where it does. Teredo and `::/96` may carry anything, and are refused. */
export function carriedAddress(address: string): string | undefined {
  if (!isIPv6(address)) return undefined;
  const groups = groupsOf(withoutZone(address));
  const at = (index: number) => {
    const [high = 0, low = 0] = groups.slice(index);
    return [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".");
  };
  const isTranslated = starts(groups, 0, 0, 0, 0, 0xffff, 0) || starts(groups, 0x64, 0xff9b, 0, 0, 0, 0);
  if (isMapped(groups) || isTranslated) return at(6);
  if (starts(groups, 0, 0, 0, 0, 0, 0) && (groups[6] ?? 0) !== 0) return at(6);
  return starts(groups, 0x2002) ? at(1) : undefined;
}

function isMapped(groups: readonly number[]): boolean {
  return starts(groups, 0, 0, 0, 0, 0, 0xffff);
}

function starts(groups: readonly number[], ...prefix: readonly number[]): boolean {
  return prefix.every((group, index) => groups[index] === group);
}
