import { once } from "node:events";
import { createServer as createWeb, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { NetworkRequest, NetworkTarget } from "../../../src/sandbox/driver.ts";
import { type CommandProxy, createProxy } from "../../../src/sandbox/network/proxy.ts";

/** A proxy on a port, a server that it may reach as web.test, and what both saw. */
interface Bench {
  web: Server;
  webPort: number;
  port: number;
  proxy: CommandProxy;
  heard: NetworkRequest[];
  arrived: { line: string; headers: string[]; body: string }[];
  asked: string[];
}

const tables: Record<string, string[] | (() => string[])> = {};
/** What slow.wild.test waits for. */
let gate: PromiseWithResolvers<void>;
const opened: (() => Promise<unknown> | unknown)[] = [];
let bench: Bench;

beforeEach(async () => {
  gate = Promise.withResolvers();
  for (const name of Object.keys(tables)) delete tables[name];
  bench = await openBench();
});

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

async function openBench(): Promise<Bench> {
  const arrived: Bench["arrived"] = [];
  const web = createWeb(async (request, response) => {
    const body = await read(request);
    arrived.push({ line: `${request.method} ${request.url}`, headers: request.rawHeaders, body });
    response.writeHead(200, { "x-own": "1", connection: "x-hop", "x-hop": "1", "keep-alive": "timeout=9" });
    response.end(`hello ${request.url} ${body}`);
  });
  const webPort = await listening(web);
  const targets: NetworkTarget[] = [
    ...["web.test", "*.wild.test", "bad.test", "turning.test", "nowhere.test"].map((host) => ({ host, port: webPort })),
    { host: "web.test", port: 443 },
  ];
  const heard: NetworkRequest[] = [];
  const asked: string[] = [];
  const resolve = async (host: string) => {
    asked.push(host);
    if (host === "slow.wild.test") await gate.promise;
    const answer = tables[host] ?? (host === "web.test" || host.endsWith(".wild.test") ? ["127.0.0.1"] : []);
    return typeof answer === "function" ? answer() : answer;
  };
  const options = { privateHosts: ["web.test", "*.wild.test", "mixed.test"], now: Date.now, resolve };
  const proxy = createProxy({ targets, heard: (request) => heard.push(request) }, options);
  const port = await listening(proxy.server);
  opened.push(
    () => web.closeAllConnections(),
    () => web.close(),
    () => proxy.close(),
  );
  return { web, webPort, port, proxy, heard, arrived, asked };
}

async function listening(server: Server | ReturnType<typeof createServer>): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** Says it on a connection of its own and hears everything until the proxy hangs up. */
async function say(text: string | Buffer): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port: bench.port });
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", () => {});
  socket.write(text);
  await once(socket, "close");
  return Buffer.concat(chunks).toString();
}

const at = (host: string, path = "/") => `http://${host}:${bench.webPort}${path}`;

test("a granted host is reached, and what belongs to one connection alone is not passed on", async () => {
  const answer = await say(
    [
      `POST ${at("web.test", "/a?b")} HTTP/1.1`,
      `Host: WEB.test.:${bench.webPort}`,
      ...["Proxy-Authorization: Basic eDp5", "Connection: close, x-mine", "X-Mine: 1", "TE: trailers", "X-Kept: yes"],
      ...["Transfer-Encoding: chunked", "", "5", "hello", "0", "", ""],
    ].join("\r\n"),
  );
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(answer).toContain("hello /a?b hello");
  expect(answer).not.toMatch(/x-hop|timeout=9/i);
  const [{ line, headers, body } = { line: "", headers: [], body: "" }] = bench.arrived;
  expect({ line, body }).toEqual({ line: "POST /a?b", body: "hello" });
  expect(headers).toEqual([
    ...["Host", `web.test:${bench.webPort}`, "X-Kept", "yes"],
    ...["Transfer-Encoding", "chunked", "Connection", "close"],
  ]);
  await bench.proxy.close();
  expect(bench.heard).toEqual([
    expect.objectContaining({ host: "web.test", port: bench.webPort, address: "127.0.0.1" }),
  ]);
  expect(bench.heard[0]).not.toHaveProperty("refused");
});

test("each request on a connection is decided by itself, and told by itself", async () => {
  const get = (url: string, host: string, more = "") => `GET ${url} HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`;
  const web = `web.test:${bench.webPort}`;
  const answer = await say(get(at("web.test"), web) + get("http://evil.test/", "evil.test") + get(at("web.test"), web));
  expect(answer.match(/HTTP\/1\.1 \d+/g)?.slice(0, 2)).toEqual(["HTTP/1.1 200", "HTTP/1.1 403"]);
  expect(answer).toContain('write network: ["evil.test:80"] in the job to allow it');
  await bench.proxy.close();
  expect(
    bench.heard
      .map(({ host, refused }) => [host, refused !== undefined])
      .slice(0, 2)
      .sort(),
  ).toEqual([
    ["evil.test", true],
    ["web.test", false],
  ]);
  expect(bench.asked).not.toContain("evil.test");
});

/** `PORT` is the port of web.test. */
const refused: readonly (readonly [what: string, request: string])[] = [
  ["another host", "GET http://evil.test:PORT/ HTTP/1.1\r\nHost: evil.test:PORT\r\n\r\n"],
  ["another port", "GET http://web.test:1/ HTTP/1.1\r\nHost: web.test:1\r\n\r\n"],
  ["the usual port, where another was granted", "GET http://bad.test/ HTTP/1.1\r\nHost: bad.test\r\n\r\n"],
  ["a wildcard's own apex", "GET http://wild.test:PORT/ HTTP/1.1\r\nHost: wild.test:PORT\r\n\r\n"],
  ["a name that ends alike", "GET http://notwild.test:PORT/ HTTP/1.1\r\nHost: notwild.test:PORT\r\n\r\n"],
  ["another Host", "GET http://web.test:PORT/ HTTP/1.1\r\nHost: evil.test\r\n\r\n"],
  ["a second Host", "GET http://web.test:PORT/ HTTP/1.1\r\nHost: web.test:PORT\r\nHost: evil.test\r\n\r\n"],
  ["user info", "GET http://web.test:PORT@evil.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n"],
  ["user info of a granted host", "GET http://a:b@web.test:PORT/ HTTP/1.1\r\nHost: web.test:PORT\r\n\r\n"],
  ["a backslash", "GET http://web.test:PORT\\@evil.test/ HTTP/1.1\r\nHost: web.test:PORT\r\n\r\n"],
  ["an IPv4 address", "GET http://127.0.0.1:PORT/ HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n"],
  ["an IPv4 address in octal", "CONNECT 0177.0.0.1:PORT HTTP/1.1\r\n\r\n"],
  ["an IPv4 address in hexadecimal", "CONNECT 0x7f000001:PORT HTTP/1.1\r\n\r\n"],
  ["an IPv4 address as one number", "CONNECT 2130706433:PORT HTTP/1.1\r\n\r\n"],
  ["a short IPv4 address", "CONNECT 127.1:PORT HTTP/1.1\r\n\r\n"],
  ["an IPv6 address", "CONNECT [::1]:PORT HTTP/1.1\r\n\r\n"],
  ["an IPv6 address with a zone", "CONNECT [fe80::1%25lo]:PORT HTTP/1.1\r\n\r\n"],
  ["a mapped address", "CONNECT [::ffff:127.0.0.1]:PORT HTTP/1.1\r\n\r\n"],
  ["a percent-encoded name", "CONNECT web%2etest:PORT HTTP/1.1\r\n\r\n"],
  ["a star", "CONNECT *.wild.test:PORT HTTP/1.1\r\n\r\n"],
  ["no port", "CONNECT web.test HTTP/1.1\r\n\r\n"],
  ["a port that is none", "CONNECT web.test:99999 HTTP/1.1\r\n\r\n"],
  ["a tunnel with another Host", "CONNECT web.test:PORT HTTP/1.1\r\nHost: evil.test:PORT\r\n\r\n"],
  ["a path alone", "GET / HTTP/1.1\r\nHost: web.test:PORT\r\n\r\n"],
  ["https in plain", "GET https://web.test/ HTTP/1.1\r\nHost: web.test\r\n\r\n"],
  ["another scheme", "GET ftp://web.test:PORT/ HTTP/1.1\r\nHost: web.test:PORT\r\n\r\n"],
  ["a name of another alphabet", "GET http://w\u0435b.test:PORT/ HTTP/1.1\r\nHost: web.test:PORT\r\n\r\n"],
  [
    "two lengths",
    "POST http://web.test:PORT/ HTTP/1.1\r\nHost: web.test:PORT\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
  ],
  [
    "a length and chunks",
    "POST http://web.test:PORT/ HTTP/1.1\r\nHost: web.test:PORT\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET",
  ],
  [
    "chunks by another name",
    "POST http://web.test:PORT/ HTTP/1.1\r\nHost: web.test:PORT\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
  ],
  ["a space before a colon", "GET http://web.test:PORT/ HTTP/1.1\r\nHost : web.test:PORT\r\n\r\n"],
  ["a folded header", "GET http://web.test:PORT/ HTTP/1.1\r\nHost: web.test:PORT\r\nX: a\r\n b: c\r\n\r\n"],
  ["a bare line feed", "GET http://web.test:PORT/ HTTP/1.1\nHost: web.test:PORT\nX: a\n\n"],
  ["a NUL", "GET http://web.test:PORT/ HTTP/1.1\r\nHost: web.test\0:PORT\r\n\r\n"],
  ["TLS without a tunnel", "\u0016\u0003\u0001\u0000\u0005hello\r\n\r\n"],
  [
    "headers without end",
    `GET http://web.test:PORT/ HTTP/1.1\r\nHost: web.test:PORT\r\nX: ${"a".repeat(20_000)}\r\n\r\n`,
  ],
];

test.each(refused)("%s is refused, and told", async (_, request) => {
  const answer = await say(request.replaceAll("PORT", String(bench.webPort)));
  expect(answer).toMatch(/^HTTP\/1\.1 40[03] /);
  expect(bench.arrived).toEqual([]);
  await bench.proxy.close();
  expect(bench.heard.length).toBeGreaterThan(0);
  const told = { refused: expect.any(String), bytesSent: 0, bytesReceived: 0 };
  for (const request of bench.heard) expect(request).toMatchObject(told);
});

test("one bad address among good ones, or one that is bad only the second time, reaches nothing", async () => {
  tables["bad.test"] = ["1.1.1.1", "169.254.169.254"];
  expect(await say(`CONNECT bad.test:${bench.webPort} HTTP/1.1\r\n\r\n`)).toMatch(
    /^HTTP\/1\.1 403 .*bad\.test leads to 169\.254\.169\.254, an address that a cloud keeps/s,
  );
  let asked = 0;
  tables["turning.test"] = () => (asked++ === 0 ? ["10.0.0.1"] : ["1.1.1.1"]);
  expect(await say(`GET ${at("turning.test")} HTTP/1.1\r\nHost: turning.test:${bench.webPort}\r\n\r\n`)).toMatch(
    /^HTTP\/1\.1 403 .*leads to 10\.0\.0\.1, a private address/s,
  );
  expect(asked).toBe(1);
  expect(await say(`CONNECT nowhere.test:${bench.webPort} HTTP/1.1\r\n\r\n`)).toMatch(/^HTTP\/1\.1 502 /);
});

test("what was looked at is what is connected to, and the name is asked once", async () => {
  tables["deep.wild.test"] = ["127.0.0.1"];
  const answer = await say(
    `GET ${at("deep.wild.test")} HTTP/1.1\r\nHost: deep.wild.test:${bench.webPort}\r\nConnection: close\r\n\r\n`,
  );
  expect(answer).toMatch(/^HTTP\/1\.1 200/);
  expect(bench.asked).toEqual(["deep.wild.test"]);
});

/** Opens a tunnel; answers the socket once the proxy said yes. */
async function tunnelTo(target: string): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port: bench.port });
  opened.push(() => socket.destroy());
  socket.on("error", () => {});
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
  const [answer] = await once(socket, "data");
  expect(String(answer)).toMatch(/^HTTP\/1\.1 200 /);
  return socket;
}

test("plain HTTP in a tunnel is judged like any other, and cannot leave its host", async () => {
  const socket = await tunnelTo(`web.test:${bench.webPort}`);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  const get = (host: string) => `GET /in HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
  socket.write(get(`web.test:${bench.webPort}`) + get("evil.test"));
  await once(socket, "close");
  const answer = Buffer.concat(chunks).toString();
  expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 400"]);
  expect(bench.arrived.map(({ line }) => line)).toEqual(["GET /in"]);
  await bench.proxy.close();
  expect(bench.heard.map(({ refused: why }) => why === undefined).sort()).toEqual([false, true]);
});

test.each([
  ["no Host at all", "GET / HTTP/1.0\r\n\r\n"],
  ["two hosts", "GET / HTTP/1.1\r\nHost: web.test:PORT\r\nHost: web.test:PORT\r\n\r\n"],
  ["a tunnel in the tunnel", "CONNECT web.test:PORT HTTP/1.1\r\nHost: web.test:PORT\r\n\r\n"],
  ["a whole address elsewhere", "GET http://evil.test/ HTTP/1.1\r\nHost: web.test:PORT\r\n\r\n"],
  ["another protocol", "SSH-2.0-OpenSSH_9.9\r\n"],
])("in a tunnel, %s is refused", async (_, text) => {
  const socket = await tunnelTo(`web.test:${bench.webPort}`);
  socket.resume().write(text.replaceAll("PORT", String(bench.webPort)));
  await once(socket, "close");
  expect(bench.arrived).toEqual([]);
  await bench.proxy.close();
  expect(bench.heard.at(-1)).toMatchObject({ refused: expect.any(String) });
});

test("TLS goes through to the host that it names, and to no other", async () => {
  const said: Buffer[] = [];
  const far = createServer((socket) => {
    socket.on("data", (chunk) => said.push(chunk)).on("error", () => {});
    socket.once("data", () => socket.end("far"));
  });
  const port = await listening(far);
  opened.push(() => far.close());
  const proxy = createProxy(
    { targets: [{ host: "web.test", port }], heard: (request) => bench.heard.push(request) },
    { privateHosts: ["web.test"], now: Date.now, resolve: async () => ["127.0.0.1"] },
  );
  bench.port = await listening(proxy.server);
  opened.push(() => proxy.close());
  for (const [name, isThrough] of [
    ["evil.test", false],
    ["", false],
    ["web.test", true],
  ] as const) {
    const socket = await tunnelTo(`web.test:${port}`);
    const client = connectTls({ socket, servername: name, rejectUnauthorized: false }).on("error", () => {});
    await new Promise((resolve) => client.once("close", resolve));
    expect(said.length > 0, name).toBe(isThrough);
  }
  await proxy.close();
  expect(bench.heard.map(({ refused: why }) => why)).toEqual([
    expect.stringContaining('"evil.test" in a tunnel to web.test'),
    expect.stringContaining("names no server"),
    undefined,
  ]);
  expect(bench.heard[2]?.bytesSent).toBe(Buffer.concat(said).length);
  expect(bench.heard[2]?.bytesReceived).toBe(3);
});

test("no host that was not granted is ever looked up, whatever is asked", async () => {
  const words = fc.constantFrom(
    "web.test",
    "evil.test",
    "@",
    ":",
    "/",
    "#",
    "?",
    "[",
    "]",
    "%",
    "\\",
    ".",
    "80",
    "*",
    "\t",
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom("GET", "CONNECT"), fc.array(words, { maxLength: 6 }), async (method, parts) => {
      const target = `${method === "GET" ? "http://" : ""}${parts.join("")}`;
      await say(`${method} ${target} HTTP/1.1\r\nHost: web.test\r\n\r\n`);
      expect(bench.asked.filter((host) => host !== "web.test")).toEqual([]);
    }),
    { numRuns: 150 },
  );
});

test.each([
  ["a word of control characters", "HTTP/1.1 200 O\u0001K\r\nContent-Length: 2\r\n\r\nok"],
  ["a status that is none", "HTTP/1.1 099 X\r\nContent-Length: 2\r\n\r\nok"],
  ["a status of four digits", "HTTP/1.1 2000 X\r\n\r\n"],
  ["another protocol in mid-air", "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nboo"],
  ["less than it said", "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok"],
  ["a body that cannot be", "HTTP/1.1 204 None\r\nContent-Length: 2\r\n\r\nok"],
  ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok"],
  ["broken chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
  ["early hints, and nothing more", "HTTP/1.1 103 Early\r\nLink: x\r\n\r\n"],
  ["nothing of HTTP", "SSH-2.0-x\r\n"],
  ["nothing at all", ""],
])("a host that answers %s ends that request and nothing else", async (_, text) => {
  const far = createServer((socket) => {
    socket.on("error", () => {}).once("data", () => socket.end(text, "latin1"));
  });
  const port = await listening(far);
  opened.push(() => far.close());
  const grant = {
    targets: [{ host: "web.test", port }],
    heard: (request: NetworkRequest) => bench.heard.push(request),
  };
  const options = { privateHosts: ["web.test"], now: Date.now, resolve: async () => ["127.0.0.1"] };
  const proxy = createProxy(grant, options);
  bench.port = await listening(proxy.server);
  opened.push(() => proxy.close());
  const get = `GET http://web.test:${port}/ HTTP/1.1\r\nHost: web.test:${port}\r\nConnection: close\r\n\r\n`;
  expect(await say(get)).toMatch(/^$|^HTTP\/1\.1 (?:200|204|502) /);
  expect(await say("GET http://evil.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n")).toMatch(/^HTTP\/1\.1 403 /);
  await proxy.close();
  expect(bench.heard).toHaveLength(2);
});

test("one connection that asks for hundreds of things at once gets no more of this machine than many would", async () => {
  const get = `GET ${at("slow.wild.test")} HTTP/1.1\r\nHost: slow.wild.test:${bench.webPort}\r\n\r\n`;
  const socket = connect({ host: "127.0.0.1", port: bench.port }).on("error", () => {});
  opened.push(() => socket.destroy());
  socket.write(get.repeat(300));
  await vi.waitFor(() => expect(bench.heard.length).toBeGreaterThan(100));
  expect(bench.asked).toHaveLength(128);
  expect(bench.heard[0]?.refused).toBe("a command may have 128 requests at one time");
  gate.resolve();
});

test("a flood of connections takes a fixed number of them, is told once, and hinders nobody afterwards", async () => {
  const half = `GET ${at("web.test")} HTTP/1.1\r\nHost: web.test:${bench.webPort}\r\nX: `;
  const flood = Array.from({ length: 400 }, () => connect({ host: "127.0.0.1", port: bench.port }));
  let dropped = 0;
  for (const socket of flood) {
    socket.on("error", () => {}).once("close", () => dropped++);
    socket.write(half);
  }
  await vi.waitFor(() => expect(dropped).toBe(400 - 128), 10_000);
  expect(bench.heard.map(({ refused: why }) => why)).toEqual(["a command may have 128 connections at one time"]);
  for (const socket of flood) socket.destroy();
  const get = `GET ${at("web.test")} HTTP/1.1\r\nHost: web.test:${bench.webPort}\r\nConnection: close\r\n\r\n`;
  await vi.waitFor(async () => expect(await say(get)).toMatch(/^HTTP\/1\.1 200/), 10_000);
});

test("when the command is over nothing stays open, and what was under way is told", async () => {
  const socket = await tunnelTo(`web.test:${bench.webPort}`);
  const other = connect({ host: "127.0.0.1", port: bench.port });
  await once(other, "connect");
  const closed = Promise.all([once(socket, "close"), once(other, "close")]);
  await bench.proxy.close();
  await closed;
  expect(bench.proxy.server.listening).toBe(false);
});
