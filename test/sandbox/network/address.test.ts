import fc from "fast-check";
import { expect, test } from "vitest";
import { refusedAddress } from "../../../src/sandbox/network/address.ts";

/** By number and prefix, beside the implementation's own list: what must never be connected to. */
const closed4 = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["168.63.129.16", 32],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.31.196.0", 24],
  ["192.52.193.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["192.175.48.0", 24],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
] as const;

function number4(address: string): number {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

function isClosed4(value: number): boolean {
  return closed4.some(
    ([net, bits]) => Math.floor(value / 2 ** (32 - bits)) === Math.floor(number4(net) / 2 ** (32 - bits)),
  );
}

const dotted = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".");
const written6 = (value: bigint) =>
  Array.from({ length: 8 }, (_, index) => ((value >> BigInt(112 - index * 16)) & 0xffffn).toString(16)).join(":");

/** Any, and many near the borders of the ranges. */
const value4 = fc.oneof(
  fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  fc
    .tuple(fc.constantFrom(...closed4), fc.boolean(), fc.integer({ min: -2, max: 2 }))
    .map(([[net, bits], isEnd, by]) => number4(net) + (isEnd ? 2 ** (32 - bits) : 0) + by)
    .filter((value) => value >= 0 && value < 2 ** 32),
);

test("an IPv4 address is refused exactly where it lies in a range that is not public", () => {
  fc.assert(
    fc.property(value4, (value) => {
      expect(refusedAddress(dotted(value)) !== undefined).toBe(isClosed4(value));
    }),
    { numRuns: 4_000 },
  );
});

test("an IPv6 address that carries an IPv4 one is judged as that one", () => {
  const prefixes = [0xffffn << 32n, 0xffffn << 48n, (0x64ff9bn << 96n) | 0n];
  fc.assert(
    fc.property(value4, fc.constantFrom(...prefixes), (value, prefix) => {
      expect(refusedAddress(written6(prefix | BigInt(value))) !== undefined).toBe(isClosed4(value));
    }),
    { numRuns: 2_000 },
  );
  fc.assert(
    fc.property(value4, fc.bigInt({ min: 0n, max: 2n ** 80n - 1n }), (value, rest) => {
      const address = written6((0x2002n << 112n) | (BigInt(value) << 80n) | rest);
      expect(refusedAddress(address) !== undefined).toBe(isClosed4(value));
    }),
    { numRuns: 2_000 },
  );
});

test("an IPv6 address is refused unless it lies where public ones are given out, and in no range of its own", () => {
  const closed6 = [
    [0x2001n << 112n, 23],
    [(0x2001n << 112n) | (0xdb8n << 96n), 32],
    [0x3fffn << 112n, 20],
    [(0x2620n << 112n) | (0x4fn << 96n) | (0x8000n << 80n), 48],
  ] as const;
  const any = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n });
  const near = fc
    .tuple(fc.constantFrom(...closed6), fc.boolean(), fc.bigInt({ min: -2n, max: 2n }))
    .map(([[net, bits], isEnd, by]) => net + (isEnd ? 1n << BigInt(128 - bits) : 0n) + by);
  const given = any.map((value) => (value & (2n ** 125n - 1n)) | (1n << 125n));
  fc.assert(
    fc.property(fc.oneof(any, near, given), (value) => {
      fc.pre(value >> 112n !== 0x2002n && value >> 32n !== 0xffffn && value >> 32n !== 0x64ff9bn << 64n);
      const isIn = closed6.some(([net, bits]) => value >> BigInt(128 - bits) === net >> BigInt(128 - bits));
      expect(refusedAddress(written6(value)) === undefined, written6(value)).toBe(value >> 125n === 1n && !isIn);
    }),
    { numRuns: 4_000 },
  );
});

test.each([
  ["169.254.1.1", "a link-local address", true],
  ["203.0.113.80", "an address for documentation", true],
  ["2001:db8::1", "an address for documentation", true],
  ["198.18.0.5", "an address for measurements", true],
  ["::1", "a loopback address", true],
  ["0:0:0:0:0:ffff:127.0.0.1", "a loopback address", true],
  ["::ffff:a9fe:a9fd", "a link-local address", true],
  ["64:ff9b::10.0.0.1", "a private address", true],
  ["fe80::1%eth0", "a link-local address", true],
  ["fd00:ec2::253", "a private address", true],
  ["::", "the unspecified address", false],
  ["0.0.0.0", "the unspecified address", false],
  ["::10.1.2.3", "a private address", true],
  ["ff02::1", "a multicast address", false],
  ["2001:0:7f00:1::", "an address for special use", false],
  ["255.255.255.255", "a reserved address", false],
  ["4000::1", "no public address", false],
  ["0x7f.1", "no address", false],
  ["", "no address", false],
])("%s is %s", (address, name, canBeOpened) => {
  expect(refusedAddress(address)).toMatchObject({ name, canBeOpened });
});

test.each([
  ["Azure", "168.63.129.16"],
  ["Azure, mapped", "::ffff:a83f:8110"],
  ["EC2, Google and most others", "169.254.169.254"],
  ["EC2, translated", "64:ff9b::169.254.169.254"],
  ["EC2", "fd00:ec2::254"],
  ["EC2, written long", "fd00:0ec2:0:0:0:0:0:0254"],
  ["ECS", "169.254.170.2"],
  ["EKS", "169.254.170.23"],
  ["EKS", "fd00:ec2::23"],
  ["Google", "fd20:ce::254"],
  ["Alibaba", "100.100.100.200"],
  ["Oracle", "192.0.0.192"],
])("where the machines of %s find their credentials is never opened: %s", (_, address) => {
  const name = "an address that a cloud keeps for its machines";
  expect(refusedAddress(address)).toMatchObject({ name, canBeOpened: false });
});

test.each(["1.1.1.1", "8.8.8.8", "172.32.0.1", "2606:4700::6810:84e5", "64:ff9b::1.1.1.1", "::ffff:8.8.4.4"])(
  "%s is public",
  (address) => expect(refusedAddress(address)).toBeUndefined(),
);
