import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { leanFetch } from "../../src/model/lean-fetch.ts";

const said = '{"said":"grüße"}';
const encoders = {
  gzip: gzipSync,
  "x-gzip": gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
  zstd: zstdCompressSync,
};

let server: Server;
let url: string;
let asked: { headers: IncomingMessage["headers"]; body: string; port: number | undefined }[] = [];
beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    asked.push({ headers: request.headers, body, port: request.socket.remotePort });
    answer(request.url ?? "", response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
});

function answer(path: string, response: ServerResponse): void {
  const encoding = path.slice(1);
  if (path === "/elsewhere") response.writeHead(302, { location: "/plain" }).end();
  else if (path === "/half") response.writeHead(200).write("half");
  else if (path === "/cut") response.writeHead(200, { "content-length": 100 }).write("cut", () => response.destroy());
  else if (encoding in encoders) {
    const encode = encoders[encoding as keyof typeof encoders];
    response.writeHead(200, { "content-encoding": encoding }).end(encode(Buffer.from(said)));
  } else if (path === "/odd") response.writeHead(200, { "content-encoding": "odd" }).end(said);
  else response.writeHead(418, { "x-one": ["1", "2"] }).end(said);
}

const post = (path: string, init: RequestInit = {}) =>
  leanFetch(url + path, { method: "POST", headers: new Headers({ "x-api-key": "k" }), body: said, ...init });

describe("the fetch under the SDK", () => {
  it("sends what it is given, tells head and body, and uses a connection again", async () => {
    asked = [];
    for (let time = 0; time < 2; time++) {
      const response = await post("/plain");
      expect([response.status, response.ok, response.headers.get("x-one")]).toEqual([418, false, "1, 2"]);
      expect(await response.json()).toEqual(JSON.parse(said));
    }
    expect(asked.map(({ body }) => body)).toEqual([said, said]);
    expect(asked[0]?.headers).toMatchObject({ "x-api-key": "k", "content-length": String(Buffer.byteLength(said)) });
    expect(asked[0]?.headers["accept-encoding"]).toBeUndefined();
    expect(asked[1]?.port).toBe(asked[0]?.port);
  });

  it.each(Object.keys(encoders))("reads what comes as %s", async (encoding) => {
    expect(await (await post(`/${encoding}`)).text()).toBe(said);
  });

  it("refuses an encoding that it does not know, by its name", async () => {
    await expect(post("/odd").then((response) => response.text())).rejects.toThrow("encoded as odd");
  });

  it("does not go where it is sent on", async () => {
    asked = [];
    const response = await post("/elsewhere");
    expect([response.status, response.ok, asked.length]).toEqual([302, false, 1]);
    await response.text();
  });

  it("ends with the word of whoever breaks it off, before the answer and within it", async () => {
    await expect(post("/plain", { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: "AbortError" });
    const stop = new AbortController();
    const response = await post("/half", { signal: stop.signal });
    const reading = response.text();
    stop.abort();
    await expect(reading).rejects.toThrow("abort");
  });

  it("takes no answer for whole that was cut off", async () => {
    const response = await post("/cut");
    await expect(response.text()).rejects.toMatchObject({ code: "ECONNRESET" });
  });

  it("says which connection was refused", async () => {
    await expect(leanFetch("http://127.0.0.1:1/", { method: "POST", body: "" })).rejects.toMatchObject({
      code: "ECONNREFUSED",
    });
  });
});
