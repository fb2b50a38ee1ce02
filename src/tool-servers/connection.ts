import { Client, type ClientOptions } from "@modelcontextprotocol/sdk/client/index.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import {
  CallToolResultSchema,
  ListToolsResultSchema,
  ToolListChangedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";
import type { AnswerBlock } from "./answer-text.ts";
import { isShallow, type ListedTool, mostTools } from "./pin-tools.ts";
import { within } from "./within.ts";

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
const mostPages = 50;
/** The caller's signal ends it sooner; the SDK would set a time of its own. */
const longest = 2 ** 31 - 1;

/** A way to a server by which it cannot tell anything that it was not asked. */
export interface Way extends Transport {
  readonly isDeaf?: boolean;
}

/** The server was heard, and what it said is no answer: it is neither gone nor silent. */
export class UnfitAnswer extends Error {}

/** Rejects when the server cannot be reached or does not speak the protocol, or when the signal aborts. */
export async function connect(transport: Way, signal: AbortSignal): Promise<Connection> {
  const client = new Client({ name: "sheaf", version: "1" }, { capabilities: {}, jsonSchemaValidator: unlooked });
  let isOver = false;
  client.onclose = () => {
    isOver = true;
  };
  client.onerror = ({ message }) => {
    if (message.includes("without being asked")) void transport.close();
  };
  try {
    // Whatever the transport does on its way, it is waited for no longer than that.
    await within(client.connect(transport, { timeout: longest, maxTotalTimeout: longest, signal }), signal);
  } catch (thrown) {
    void transport.close().catch(() => {});
    throw thrown;
  }
  const connection: Connection = {
    tellsChanges: transport.isDeaf !== true && client.getServerCapabilities()?.tools?.listChanged === true,
    isStale: false,
    get isOver() {
      return isOver;
    },
    list: (until) => listAll(client, until),
    call: (tool, input, options) =>
      call(client, tool, { input, ...options }).catch((thrown) => {
        throw heard(thrown, transport);
      }),
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
    if (cursor === undefined || tools.length > mostTools) return tools;
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
  if (!isShallow(answer.structuredContent)) throw new UnfitAnswer("its answer is nested too deep to be read");
  return { content: answer.content, structured: answer.structuredContent, isError: answer.isError === true };
}

/** An answer that is none of the protocol's, or of HTTP's only, is one all the same; a session that is over is not. */
function heard(thrown: unknown, { sessionId }: Transport): unknown {
  if (!(thrown instanceof Error)) return thrown;
  if ("issues" in thrown) return new UnfitAnswer("its answer has not the form that the protocol asks for");
  const status = statusOf(thrown);
  const isAnswer = status >= 400 && !(status === 404 && sessionId !== undefined);
  return isAnswer ? new UnfitAnswer(`it answered with HTTP status ${status}`) : thrown;
}

function statusOf(error: Error): number {
  if (error.name !== "McpError" && "code" in error && typeof error.code === "number") return error.code;
  return Number(/^Error POSTing to endpoint \(HTTP (\d{3})\)/.exec(error.message)?.[1] ?? 0);
}
