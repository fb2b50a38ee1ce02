import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { SSEServerTransport } from "@modelcontextprotocol/sdk/server/sse.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parseRule } from "../../src/permission/rule.ts";
import type { NamedTask } from "../../src/protocol/job.ts";
import { runJobOn } from "../support/bench-job.ts";
import { openTestBench, type TestBench } from "../support/equipment.ts";

const key = "Bearer hunter2-hunter2";
let bench: TestBench;
const seen: string[] = [];
const servers: Server[] = [];

beforeAll(async () => {
  bench = await openTestBench({ privateHosts: ["localhost"], secrets: { KEY: key } });
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

function notes(): McpServer {
  const server = new McpServer({ name: "notes", version: "1" });
  server.registerTool("who", { description: "Says who asks." }, ({ requestInfo }) => ({
    content: [{ type: "text", text: `asked with ${requestInfo?.headers["x-key"]}` }],
  }));
  return server;
}

async function listen(answer: (request: IncomingMessage, response: ServerResponse) => unknown): Promise<number> {
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers["x-key"] ?? "nobody"}`);
    void answer(request, response);
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function run(url: string) {
  const agent = {
    ...{ name: "one", instructions: "" },
    model: {
      ...{ provider: "scripted" as const, file: "x.yaml" },
      turns: [
        { calls: [{ tool: "mcp__notes__who", input: {} }] },
        { calls: [{ tool: "submit", input: { summary: "s" } }] },
      ],
    },
  };
  const task: NamedTask = { id: "one", writes: [], steps: [{ kind: "agent", agent, prompt: "ask" }] };
  const { result, events } = await runJobOn(
    bench,
    { "a.txt": "a\n" },
    {
      tasks: [task],
      servers: [{ kind: "url", name: "notes", url, secret_headers: { "X-Key": "KEY" } }],
      permissions: { allow: [parseRule("mcp__notes")], deny: [] },
    },
  );
  const told = events.flatMap((event) =>
    event.type === "tool.finished" && event.data.tool === "mcp__notes__who" ? [event.data.content] : [],
  );
  expect(JSON.stringify(events)).not.toContain("hunter2");
  return { result, told };
}

it("a server at an address is asked with the secrets that its author named, and told when it is over", async () => {
  const transports = new Map<string, StreamableHTTPServerTransport>();
  const port = await listen(async (request, response) => {
    const known = transports.get(String(request.headers["mcp-session-id"]));
    const opened = (id: string) => void transports.set(id, transport);
    const fresh = () =>
      new StreamableHTTPServerTransport({ sessionIdGenerator: () => "s1", onsessioninitialized: opened });
    const transport = known ?? fresh();
    if (!known) await notes().connect(transport as Parameters<McpServer["connect"]>[0]);
    await transport.handleRequest(request, response);
  });
  seen.length = 0;
  const { result, told } = await run(`http://localhost:${port}/mcp`);
  expect(result.outcome).toBe("no_changes");
  expect(told).toEqual(["asked with [redacted:secret]"]);
  expect(seen.every((line) => line.endsWith(key))).toBe(true);
  expect(seen.at(-1)).toMatch(/^DELETE /);
});

it("one that speaks the older way is asked in that way", async () => {
  const open = new Map<string, SSEServerTransport>();
  const port = await listen(async (request, response) => {
    const id = new URL(request.url ?? "", "http://localhost").searchParams.get("sessionId");
    if (request.method === "GET") {
      const transport = new SSEServerTransport("/messages", response);
      open.set(transport.sessionId, transport);
      await notes().connect(transport);
    } else if (id !== null) await open.get(id)?.handlePostMessage(request, response);
    else response.writeHead(405).end();
  });
  expect((await run(`http://localhost:${port}/sse`)).told).toEqual(["asked with [redacted:secret]"]);
});

it("nobody is led away, nor into a network that the operator did not open, nor drowned", async () => {
  const other = await listen((_request, response) => response.writeHead(404).end());
  const port = await listen((_request, response) =>
    response.writeHead(307, { location: `http://localhost:${other}/mcp` }).end(),
  );
  seen.length = 0;
  const led = await run(`http://localhost:${port}/mcp`);
  expect(led.result.reason).toMatchObject({ code: "tool_server" });
  expect(seen.some((line) => line.includes(`:${other}`))).toBe(false);
  expect(seen.length).toBeGreaterThan(0);
  // Before anything runs.
  const shut = run(`http://127.0.0.1:${port}/mcp`);
  await expect(shut).rejects.toThrow("this is an address; write the name of the host");
  const endless = await listen((_request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    const more = () => {
      while (response.write(" ".repeat(65_536)));
      response.once("drain", more);
    };
    more();
  });
  const drowned = await run(`http://localhost:${endless}/mcp`);
  expect(drowned.result.reason?.message).toMatch(/it answers with over|terminated/);
});
