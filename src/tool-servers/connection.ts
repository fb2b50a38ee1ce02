import { Client, type ClientOptions } from "@modelcontextprotocol/sdk/client/index.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import {
  CallToolResultSchema,
  ListToolsResultSchema,
  ToolListChangedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";
import type { AnswerBlock } from "./answer-text.ts";
import type { ListedTool } from "./pin-tools.ts";

/**
 * One connection to a server of tools. It offers the server nothing in return: no model, no files, no questions to
 * people. What the server says of the shape of its answers is not looked at.
 */
export interface Connection {
  /** The server says itself when its tools change. */
  readonly tellsChanges: boolean;
  /** Its tools may have changed since they were last listed. */
  isStale: boolean;
  readonly isOver: boolean;
  list(signal: AbortSignal): Promise<ListedTool[]>;
  call(tool: string, input: Readonly<Record<string, unknown>>, options: CallOptions): Promise<RawAnswer>;
  close(): Promise<void>;
}

export interface CallOptions {
  /** Told to the server when it aborts. */
  signal: AbortSignal;
  timeoutMs: number;
  /** W3C trace context of the call's span. */
  traceparent: string;
}

export interface RawAnswer {
  content: readonly AnswerBlock[];
  structured: unknown;
  isError: boolean;
}

const listMs = 30_000;
/** A program may have to be fetched or compiled first. */
const openMs = 60_000;
const mostPages = 50;

/** Rejects when the server cannot be reached or does not speak the protocol. */
export async function connect(transport: Transport, signal: AbortSignal): Promise<Connection> {
  const client = new Client({ name: "sheaf", version: "1" }, { capabilities: {}, jsonSchemaValidator: unlooked });
  let isOver = false;
  client.onclose = () => {
    isOver = true;
  };
  await client.connect(transport, { timeout: openMs, maxTotalTimeout: openMs, signal });
  const connection: Connection = {
    tellsChanges: client.getServerCapabilities()?.tools?.listChanged === true,
    isStale: false,
    get isOver() {
      return isOver;
    },
    list: (until) => listAll(client, until),
    call: (tool, input, options) => call(client, tool, { input, ...options }),
    close: () => client.close(),
  };
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
    connection.isStale = true;
  });
  return connection;
}

/** A schema of the server's own choosing is compiled by nobody. */
const unlooked: NonNullable<ClientOptions["jsonSchemaValidator"]> = {
  getValidator: () => (input) => ({ valid: true, data: input as never, errorMessage: undefined }),
};

async function listAll(client: Client, signal: AbortSignal): Promise<ListedTool[]> {
  const tools: ListedTool[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < mostPages; page++) {
    const params = cursor === undefined ? {} : { cursor };
    const options = { timeout: listMs, maxTotalTimeout: listMs, signal };
    const answer = await client.request({ method: "tools/list", params }, ListToolsResultSchema, options);
    for (const { name, description, inputSchema } of answer.tools) tools.push({ name, description, inputSchema });
    cursor = answer.nextCursor;
    if (cursor === undefined) return tools;
  }
  throw new Error(`its list of tools has over ${mostPages} pages`);
}

async function call(
  client: Client,
  name: string,
  { input, signal, timeoutMs, traceparent }: CallOptions & { input: Readonly<Record<string, unknown>> },
): Promise<RawAnswer> {
  const params = { name, arguments: { ...input }, _meta: { traceparent } };
  const options = { timeout: timeoutMs, maxTotalTimeout: timeoutMs, signal };
  const answer = await client.request({ method: "tools/call", params }, CallToolResultSchema, options);
  return { content: answer.content, structured: answer.structuredContent, isError: answer.isError === true };
}
