import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, expect, it } from "vitest";
import { createJudgedFetch } from "../../src/sandbox/network/judged-fetch.ts";
import { createResolve } from "../../src/sandbox/network/resolve.ts";
import { ToolServer } from "../../src/tool-servers/tool-server.ts";
import { urlTransports } from "../../src/tool-servers/url-transports.ts";

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

const never = new AbortController().signal;
const options = { signal: never, timeoutMs: 20_000, traceparent: "" };

interface Told {
  id?: number;
  method: string;
}

type Answer = (message: Told, response: ServerResponse, request: IncomingMessage) => unknown;

/** `answer` is asked first, of each request; what it does not answer is answered as usual. */
async function serverOf(answer: Answer, { openMs = 20_000, mostStarts = 2 } = {}) {
  const http = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    const message: Told = text === "" ? { method: `${request.method}` } : JSON.parse(text);
    if (answer(message, response, request) !== true) usual(message, response);
  });
  servers.push(http);
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const url = new URL(`http://localhost:${(http.address() as AddressInfo).port}/mcp`);
  return new ToolServer("x", {
    ...{ mostStarts, openMs },
    async open() {
      const stop = new AbortController();
      const heard = { bytes: 0, events: 0 };
      const judged = { resolve: createResolve(), privateHosts: ["localhost"], headers: {}, signal: stop.signal, heard };
      const asked = () => Object.assign(heard, { bytes: 0, events: 0 });
      const close = async () => stop.abort(new Error("let go"));
      return { transports: urlTransports(url, createJudgedFetch(url, judged), asked), close, lastWords: () => "" };
    },
  });
}

function usual({ id, method }: Told, response: ServerResponse): void {
  const say = (result: unknown) =>
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ jsonrpc: "2.0", id, result }));
  const serverInfo = { name: "x", version: "1" };
  const capabilities = { tools: { listChanged: true } };
  if (method === "initialize") say({ protocolVersion: "2025-06-18", capabilities, serverInfo });
  else if (method === "tools/list") say({ tools: [{ name: "ask", inputSchema: { type: "object" } }] });
  else if (method === "tools/call") say({ content: [{ type: "text", text: "told" }] });
  else response.writeHead(id === undefined ? 202 : 405).end();
}

const saidOf = (answered: Awaited<ReturnType<ToolServer["call"]>>) =>
  "problem" in answered ? answered.problem : answered.content[0]?.text;

const stream = (response: ServerResponse) => response.writeHead(200, { "content-type": "text/event-stream" });

it.for<[string, Answer]>([
  ["takes in that it was opened and says nothing", ({ method }) => method === "notifications/initialized"],
  [
    "opens a stream and names no address",
    ({ method }, response) => {
      if (method === "GET") stream(response).write(": hello\n\n");
      else response.writeHead(400).end("no");
      return true;
    },
  ],
])("a server that %s is waited for no longer than it may take", async ([, answer]) => {
  const server = await serverOf(answer, { openMs: 100 });
  expect(await server.tools(never)).toEqual({ problem: expect.stringContaining("within 0.1 s") });
  await server.close();
});

it("nobody who is over waits for a server that does not begin", async () => {
  const server = await serverOf(() => true);
  const stop = new AbortController();
  const called = server.call("ask", {}, { ...options, signal: stop.signal });
  stop.abort(new Error("the run is over"));
  await expect(called).rejects.toThrow("the run is over");
  await server.close();
});

it("a stream on which more comes than was asked for is ended, and one that was not asked for is not opened", async () => {
  const seen: string[] = [];
  const server = await serverOf(({ method }, response, request) => {
    seen.push(`${request.method}`);
    if (method !== "tools/call") return false;
    const note = JSON.stringify({
      jsonrpc: "2.0",
      method: "notifications/message",
      params: { level: "info", data: 1 },
    });
    const more = () => {
      while (response.write(`data: ${note}\n\n`.repeat(100)));
      response.once("drain", more);
    };
    stream(response);
    more();
    return true;
  });
  expect(saidOf(await server.call("ask", {}, options))).toMatch(/[Cc]losed/);
  await server.close();
  expect(seen).not.toContain("GET");
});

it("an error of HTTP is an answer in a sentence, and its server is no other one afterwards", async () => {
  let calls = 0;
  let begun = 0;
  const server = await serverOf(({ method }, response) => {
    if (method === "initialize") begun += 1;
    if (method !== "tools/call" || ++calls > 1) return false;
    response.writeHead(500).end("a long page".repeat(1_000));
    return true;
  });
  expect(saidOf(await server.call("ask", {}, options))).toBe("it answered with HTTP status 500");
  expect(saidOf(await server.call("ask", {}, options))).toBe("told");
  await server.close();
  expect(begun).toBe(1);
});
