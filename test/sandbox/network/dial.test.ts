import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { networkInterfaces } from "node:os";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { dial } from "../../../src/sandbox/network/dial.ts";

vi.mock("node:os", async (load) => ({ ...(await load<typeof import("node:os")>()), networkInterfaces: vi.fn() }));

let door: Server;
beforeEach(async () => {
  const one = { netmask: "", mac: "", internal: false, cidr: null };
  vi.mocked(networkInterfaces).mockReturnValue({
    eth0: [
      { ...one, family: "IPv4", address: "45.33.32.156" },
      { ...one, family: "IPv6", address: "2600:3c01::f03c:91ff:fe18:bb2f", scopeid: 0 },
    ],
  });
  door = createServer((socket) => socket.end()).listen(0, "127.0.0.1");
  await once(door, "listening");
});
afterEach(() => void door.close());

async function dialled(answers: readonly string[], privateHosts: readonly string[] = []): Promise<string> {
  const { port } = door.address() as AddressInfo;
  // It judges and connects at once; where it should not connect, it has ended before.
  const stop = new AbortController();
  if (!answers.every((answer) => /127\.0|7f00/.test(answer))) stop.abort();
  const options = { privateHosts, signal: stop.signal, resolve: async () => answers };
  const got = await dial({ host: "a.test", port }, options);
  if ("reason" in got) return got.reason;
  const { remoteAddress = "" } = got.socket;
  got.socket.destroy();
  return `connected to ${remoteAddress}`;
}

const remedy = "the operator can open it with network: { private: [a.test] } in sheaf.config.yaml";

test.each([
  "45.33.32.156",
  "::ffff:45.33.32.156",
  "::ffff:2d21:209c",
  "64:ff9b::2d21:209c",
  "::2d21:209c",
  "2002:2d21:209c::1",
  "2600:3c01::f03c:91ff:fe18:bb2f",
  "2600:3c01:0:0:f03c:91ff:fe18:bb2f",
])("an address of this machine is one in whatever form: %s", async (address) => {
  expect(await dialled([address])).toMatch(/^a\.test leads to \S+, an address of this machine; the operator/);
  expect(await dialled(["1.1.1.1", address])).toContain("an address of this machine");
  expect(await dialled([address], ["a.test"])).toBe("the command has ended");
});

test("what is connected to is the IPv4 address that a mapped one stands for", async () => {
  expect(await dialled(["::ffff:7f00:1"], ["a.test"])).toBe("connected to 127.0.0.1");
});

test.each(["203.0.113.80", "192.0.2.1", "198.51.100.7", "2001:db8::1", "198.18.0.5", "10.0.0.1", "fd00::1"])(
  "the operator opens what nobody on the internet has: %s",
  async (address) => {
    expect(await dialled([address])).toMatch(new RegExp(`^a\\.test leads to ${address}, .*; `));
    expect(await dialled([address])).toContain(remedy);
    expect(await dialled([address], ["b.test"])).toContain(remedy);
    expect(await dialled([address], ["a.test"])).toBe("the command has ended");
  },
);

test.each(["168.63.129.16", "169.254.169.254", "::ffff:169.254.169.254", "0.0.0.0", "224.0.0.1", "255.255.255.255"])(
  "nobody opens what no package comes from, and nobody is told to: %s",
  async (address) => {
    for (const hosts of [[], ["a.test"]]) {
      expect(await dialled([address], hosts)).toMatch(/; such an address is never connected to$/);
    }
  },
);
