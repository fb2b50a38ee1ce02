import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { connect } from "node:tls";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { readClientHello } from "../../../src/sandbox/network/client-hello.ts";

let named: Buffer;
let unnamed: Buffer;

beforeAll(async () => {
  named = await firstWords("registry.example.com");
  unnamed = await firstWords("");
});

/** What this Node really sends. */
async function firstWords(servername: string): Promise<Buffer> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = connect({ host: "127.0.0.1", port, servername, ALPNProtocols: ["h2", "http/1.1"] });
  client.on("error", () => {});
  const [socket] = await once(server, "connection");
  const [bytes] = await once(socket, "data");
  client.destroy();
  server.close();
  return bytes;
}

test("the name is read whole or not yet, however the bytes arrive", () => {
  for (let length = 0; length < named.length; length++) {
    expect(readClientHello(named.subarray(0, length))).toEqual({ state: "more" });
  }
  expect(readClientHello(named)).toEqual({ state: "named", name: "registry.example.com" });
  expect(readClientHello(Buffer.concat([named, Buffer.from("more")]))).toMatchObject({ state: "named" });
});

test("a name in capitals, with a dot at its end, or spread over many records is the same name", () => {
  const loud = Buffer.from(named.toString("latin1").replace("registry.example.com", "REGISTRY.example.cOM"), "latin1");
  expect(readClientHello(loud)).toEqual({ state: "named", name: "registry.example.com" });
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 20 }), (sizes) => {
      expect(readClientHello(inRecords(named.subarray(5), sizes))).toEqual({
        state: "named",
        name: "registry.example.com",
      });
    }),
  );
});

function inRecords(message: Buffer, sizes: readonly number[]): Buffer {
  const records: Buffer[] = [];
  for (let [at, index] = [0, 0]; at < message.length; index++) {
    const size = sizes[index] ?? message.length;
    const part = message.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part);
    at += size;
  }
  return Buffer.concat(records);
}

/** The same message with one more extension, all lengths put right. */
function withExtension(type: number, data: Buffer): Buffer {
  const body = Buffer.from(named.subarray(9));
  const at = 2 + 32;
  const session = at + 1 + (body[at] ?? 0);
  const ciphers = session + 2 + body.readUInt16BE(session);
  const compression = ciphers + 1 + (body[ciphers] ?? 0);
  body.writeUInt16BE(body.readUInt16BE(compression) + 4 + data.length, compression);
  const head = Buffer.alloc(4);
  head.writeUInt16BE(type);
  head.writeUInt16BE(data.length, 2);
  const message = Buffer.concat([body, head, data]);
  const size = Buffer.from([1, message.length >> 16, (message.length >> 8) & 255, message.length & 255]);
  return inRecords(Buffer.concat([size, message]), []);
}

test("what could be read in two ways, or hides its name, is refused", () => {
  const name = Buffer.from([0, 11, 0, 0, 8, ...Buffer.from("evil.com")]);
  expect(readClientHello(unnamed)).toMatchObject({
    state: "refused",
    reason: expect.stringContaining("names no server"),
  });
  expect(readClientHello(withExtension(0, name))).toMatchObject({ state: "refused" });
  expect(readClientHello(withExtension(0xfe0d, Buffer.from([1])))).toMatchObject({
    state: "refused",
    reason: expect.stringContaining("encrypted"),
  });
  expect(readClientHello(Buffer.from([22, 2, 0, 0, 1, 1]))).toMatchObject({ state: "refused" });
  expect(readClientHello(Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0]))).toMatchObject({ state: "refused" });
  expect(readClientHello(Buffer.from([22, 3, 1, 0, 0]))).toMatchObject({ state: "refused" });
});

test("whatever the bytes are, they are refused, waited for, or named, and nothing is thrown", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat({ max: 400 }), (noise, at) => {
      const bytes = Buffer.from(named);
      bytes.set(noise.subarray(0, Math.max(0, bytes.length - at)), Math.min(at, bytes.length));
      expect(["more", "named", "refused"]).toContain(readClientHello(bytes).state);
    }),
    { numRuns: 2_000 },
  );
});
