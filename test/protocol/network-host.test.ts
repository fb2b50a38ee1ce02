import fc from "fast-check";
import { expect, test } from "vitest";
import { coversHost, readNetworkHost } from "../../src/protocol/network-host.ts";

const label = fc.stringMatching(/^[a-z0-9_]([a-z0-9_-]{0,8}[a-z0-9_])?$/);
const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join("."));
const noise = fc.array(
  fc.constantFrom("a", "B", "0", "7", "x", ".", ":", "*", "@", "/", "[", "]", "%", "-", " ", "é"),
  {
    maxLength: 12,
  },
);

test("what is read as a host is what the URL standard reads as that name, and never as an address", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        name,
        noise.map((parts) => parts.join("")),
      ),
      (written) => {
        const read = readNetworkHost(written);
        if ("problem" in read) {
          expect(read.problem).toMatch(/\S/);
          return;
        }
        expect(readNetworkHost(read.host)).toEqual({ host: read.host });
        const url = `http://${read.host.replace(/^\*\./, "")}/`;
        if (URL.canParse(url)) expect(new URL(url).hostname).toBe(read.host.replace(/^\*\./, ""));
      },
    ),
    { numRuns: 5_000 },
  );
});

test("every spelling of an address is refused", () => {
  const number = fc.integer({ min: 0, max: 255 });
  const spelt = number.chain((value) =>
    fc.constantFrom(String(value), `0x${value.toString(16)}`, `0X${value.toString(16)}`, `0${value.toString(8)}`),
  );
  fc.assert(
    fc.property(fc.array(spelt, { minLength: 1, maxLength: 4 }), fc.constantFrom("", "."), (parts, end) => {
      const written = `${parts.join(".")}${end}`;
      expect(readNetworkHost(written)).toHaveProperty("problem");
      expect(readNetworkHost(`${written}:80`)).toHaveProperty("problem");
    }),
  );
  for (const written of ["[::1]", "::1", "[::1]:80", "fe80::1%lo", "1.2.3.4", "a.0x1", "127.1"]) {
    expect(readNetworkHost(written), written).toHaveProperty("problem");
  }
});

test.each([
  ["API.Example.com.", { host: "api.example.com" }],
  ["*.example.com:8443", { host: "*.example.com", port: 8443 }],
  ["registry", { host: "registry" }],
  ["_a.b-c.example:1", { host: "_a.b-c.example", port: 1 }],
])("%s is %j", (written, read) => expect(readNetworkHost(written)).toEqual(read));

test("a wildcard covers what lies below it at any depth, and neither itself nor a name that ends alike", () => {
  const covered = [
    "a.example.com",
    "a.b.example.com",
    "example.com",
    "notexample.com",
    ".example.com",
    "example.com.evil",
  ];
  expect(covered.filter((host) => coversHost("*.example.com", host))).toEqual(["a.example.com", "a.b.example.com"]);
  expect(coversHost("example.com", "a.example.com")).toBe(false);
});
