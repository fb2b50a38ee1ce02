import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Command, NetworkRequest } from "../../../src/sandbox/driver.ts";
import { openSandboxed, processesWith, type Sandboxed } from "../../support/sandboxed.ts";

const arrived: { url: string; headers: string[] }[] = [];
const web = createServer((request, response) => {
  arrived.push({ url: request.url ?? "", headers: request.rawHeaders });
  const answer = packages(request.url ?? "", `http://${request.headers.host}`);
  response.writeHead(answer === undefined ? 404 : 200).end(answer ?? "not here");
});
let port: number;
let tarball: Buffer;
let box: Sandboxed;
let heard: NetworkRequest[];

beforeAll(async () => {
  tarball = packTiny();
  web.listen(0, "127.0.0.1");
  await once(web, "listening");
  port = (web.address() as AddressInfo).port;
});
afterAll(() => void web.close());
beforeEach(() => {
  arrived.length = 0;
  heard = [];
  box = openSandboxed({
    isClosed: true,
    path: process.env.PATH ?? "",
    privateHosts: ["web.test"],
    resolve: async (host) => (host === "web.test" || host === "inner.test" ? ["127.0.0.1"] : []),
  });
});
afterEach(() => box[Symbol.dispose]());

/** A registry of one package. */
function packages(url: string, own: string): string | Buffer | undefined {
  if (url === "/hello") return "hello";
  if (url === "/tiny/-/tiny-1.0.0.tgz") return tarball;
  if (url !== "/tiny") return undefined;
  const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
  const dist = { tarball: `${own}/tiny/-/tiny-1.0.0.tgz`, integrity };
  return JSON.stringify({
    name: "tiny",
    "dist-tags": { latest: "1.0.0" },
    versions: { "1.0.0": { name: "tiny", version: "1.0.0", dist } },
  });
}

function packTiny(): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "sheaf-tiny-"));
  mkdirSync(join(folder, "package"));
  writeFileSync(join(folder, "package/package.json"), '{"name":"tiny","version":"1.0.0","main":"tiny.js"}');
  writeFileSync(join(folder, "package/tiny.js"), 'module.exports = "tiny is here";\n');
  execFileSync("tar", ["-czf", "tiny.tgz", "package"], { cwd: folder });
  const bytes = readFileSync(join(folder, "tiny.tgz"));
  rmSync(folder, { recursive: true });
  return bytes;
}

const grant = (): Pick<Command, "network"> => ({
  network: {
    targets: ["web.test", "inner.test"].map((host) => ({ host, port })),
    heard: (request) => heard.push(request),
  },
});
/** By Node's own client, which reads the proxy's variables. */
const get = (...urls: string[]) =>
  `/run/sheaf/node -e '(async () => { for (const url of ${JSON.stringify(urls)}) await fetch(url).then(async (r) => console.log(r.status, await r.text()), (e) => console.log("failed", e.cause?.message ?? e.message)); })()'`;

describe("a command with a network", () => {
  it("reaches the hosts that it was given, by name, and is told of each that it was not", async () => {
    const urls = [`http://web.test:${port}/hello`, `http://inner.test:${port}/hello`, "http://other.test/"];
    const said = await box.say(get(...urls), grant());
    expect(said).toMatch(/^200 hello\n/);
    expect(arrived.map(({ url }) => url)).toEqual(["/hello"]);
    expect(heard.map(({ host, refused }) => [host, refused?.replace(/;.*/s, "")])).toEqual([
      ["web.test", undefined],
      ["inner.test", "inner.test leads to 127.0.0.1, a loopback address"],
      ["other.test", "other.test:80 is not among the hosts of this command"],
    ]);
    expect(heard[0]).toMatchObject({ port, address: "127.0.0.1", bytesReceived: expect.any(Number) });
  });

  it("has no other way out: not past the proxy, not to this machine, not by a name of its own, not by killing it", async () => {
    const script = `const net = require("node:net");
      const dns = require("node:dns").promises;
      const { readdirSync, readFileSync } = require("node:fs");
      const dial = (to) => new Promise((r) => net.connect(to).on("connect", () => r("open")).on("error", (e) => r(e.code)));
      const bridges = () => readdirSync("/proc").filter((pid) => /^\\d+$/.test(pid) && +pid !== process.pid && readFileSync("/proc/" + pid + "/cmdline", "latin1").includes("proxy.sock"));
      (async () => {
        console.log(await dial({ host: "127.0.0.1", port: ${port} }), await dial({ host: "1.1.1.1", port: 443 }));
        console.log(await dns.lookup("web.test").then(() => "found", (e) => e.code), Object.keys(require("os").networkInterfaces()).join());
        for (const pid of bridges()) try { process.kill(+pid, "SIGKILL"); } catch {}
        await fetch("http://web.test:${port}/hello").then(() => console.log("through"), () => console.log("gone"));
      })();`;
    writeFileSync(join(box.tree, "try.cjs"), script);
    const { output } = await box.run("/run/sheaf/node try.cjs", grant());
    expect(output.toString()).toMatch(/^ECONNREFUSED ENETUNREACH\nE\w+ lo\n/);
    expect(output.toString()).not.toContain("through");
    expect(arrived).toEqual([]);
  });

  it.each([
    ["printf out; printf err >&2; exit 3", { exit: 3, signal: null }],
    [["no-such-program"], { exit: 127, signal: null }],
    [["/usr"], { exit: 126, signal: null }],
  ] as const)("ends as it does without: %j", async (run, end) => {
    const plain = await box.run(run);
    const networked = await box.run(run, grant());
    expect(plain).toMatchObject(end);
    expect(networked).toMatchObject({ ...end, output: plain.output });
  });

  it("ends in its time, cancelled, or by a signal as it does without, and leaves neither socket nor process", async () => {
    const mark = `${2_000_000 + process.pid}`;
    const late = await box.run(`exec sleep ${mark}`, { ...grant(), timeoutMs: 1_000 });
    expect(late).toMatchObject({ isTimedOut: true, exit: null });
    expect(await box.run("kill -9 $$", grant())).toMatchObject(await ending("kill -9 $$"));
    const stop = new AbortController();
    const running = box.run(`sleep ${mark} & sleep ${mark}`, { ...grant(), signal: stop.signal });
    setTimeout(() => stop.abort(new Error("enough")), 200);
    await expect(running).rejects.toThrow("enough");
    expect(processesWith(mark)).toEqual([]);
    expect(readdirSync(join(box.root, "data/sandbox/network"))).toEqual([]);
  });

  async function ending(run: string) {
    const { exit, signal, isTimedOut } = await box.run(run);
    return { exit, signal, isTimedOut };
  }

  it("can install packages from a registry of the operator's own", async () => {
    writeFileSync(join(box.tree, "package.json"), '{"name":"user","dependencies":{"tiny":"^1.0.0"}}');
    writeFileSync(join(box.tree, ".npmrc"), `registry=http://web.test:${port}/\naudit=false\nfund=false\n`);
    const said = await box.run("npm install --loglevel=error && node -p 'require(\"tiny\")'", grant());
    expect(said.output.toString()).toContain("tiny is here");
    expect(arrived.map(({ url }) => url)).toEqual(["/tiny", "/tiny/-/tiny-1.0.0.tgz"]);
    expect(heard.every(({ host, refused }) => host === "web.test" && refused === undefined)).toBe(true);
  });

  it("holds its secrets in its environment alone, and not where others on this machine look", async () => {
    const secret = `s3cret-${process.pid}-${"x".repeat(20)}`;
    let seen: string[] = [];
    const look = setInterval(() => {
      seen = [...seen, ...processesWith(secret)];
    }, 20);
    const said = await box.say('sleep 0.3; printf %s "$TOKEN"', { ...grant(), secrets: { TOKEN: secret } });
    clearInterval(look);
    expect(said).toBe(secret);
    expect(seen).toEqual([]);
    expect(await box.say('printf "%s." "$TOKEN"')).toBe(".");
  });
});

describe("a command without a network", () => {
  it("finds no proxy, no bridge, and no variable of either", async () => {
    expect(await box.say("ls /run; env | grep -ic proxy")).toBe("0");
    expect(await box.say("ls /run; env | grep -ic proxy", { network: { targets: [], heard: () => {} } })).toBe("0");
  });
});
