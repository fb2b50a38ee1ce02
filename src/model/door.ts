import Anthropic, { type ClientOptions } from "@anthropic-ai/sdk";
import type { Endpoint } from "../protocol/endpoint.ts";
import { Fault } from "../protocol/failure.ts";
import { leanFetch } from "./lean-fetch.ts";

/**
 * The way to one endpoint from one thread: the SDK's client for it, made once, and what it refused so far. The SDK gets
 * every setting from here. It looks up nothing in an environment or a file, retries nothing and traces nothing: waiting
 * and tracing are the loop's and the governor's.
 */
export interface Door {
  /** Resolves with the head of a successful answer. Rejects with the SDK's own errors. */
  post(path: string, body: object, options: { signal: AbortSignal; timeoutMs: number }): Promise<Response>;
  /** Request fields that it refused, by endpoint, as long as the thread lives. */
  readonly dropped: Set<string>;
}

/** Endpoints of one thread; an operator has few, each for all runs. */
const doors = new Map<string, Promise<Door>>();
const mostDoors = 16;

export function openDoor(endpoint: Endpoint): Promise<Door> {
  const { name: _name, dropped, first_chunk_ms: _first, stall_ms: _stall, ...identity } = endpoint;
  const key = JSON.stringify(identity);
  const open = doors.get(key) ?? makeDoor(endpoint);
  doors.set(key, open);
  // One that could not be opened is tried again by the next run.
  open.catch(() => doors.delete(key));
  for (const [other] of doors) if (doors.size > mostDoors && other !== key) doors.delete(other);
  return withDropped(open, dropped);
}

async function withDropped(opening: Promise<Door>, dropped: readonly string[]): Promise<Door> {
  const door = await opening;
  for (const field of dropped) door.dropped.add(field);
  return door;
}

/** What `post` needs of the clients of all three packages. */
interface Client {
  post(path: string, options: object): { asResponse(): Promise<Response> };
}

async function makeDoor(endpoint: Endpoint): Promise<Door> {
  const client = await makeClient(endpoint);
  const betas = endpoint.capabilities.betas.join(",");
  const isFetched = endpoint.kind === "bedrock" || endpoint.kind === "vertex";
  const dropped = new Set<string>();
  return {
    dropped,
    post(path, body, { signal, timeoutMs }) {
      const headers = betas === "" || dropped.has("anthropic-beta") ? {} : { "anthropic-beta": betas };
      // Node keeps a line of each of its fetches for a page's inspector, and looks through all of them at each one more.
      if (isFetched) performance.clearResourceTimings();
      // Without `stream` the SDK would work out a time limit of its own; the body says what is wanted.
      return client.post(path, { body, headers, signal, timeout: timeoutMs, stream: true }).asResponse();
    },
  };
}

async function makeClient(endpoint: Endpoint): Promise<Client> {
  const options = clientOptions(endpoint);
  if (endpoint.kind === "bedrock") return (await import("./bedrock.ts")).bedrockClient(endpoint, options);
  if (endpoint.kind === "vertex") return (await import("./vertex.ts")).vertexClient(endpoint, options);
  return new Anthropic({ ...options, ...credentials(endpoint), fetch: leanFetch });
}

function clientOptions({ base_url }: Endpoint): ClientOptions {
  return {
    baseURL: base_url,
    maxRetries: 0,
    webhookKey: null,
    logLevel: "off",
    openTelemetry: false,
    // A redirect would take the key to a place that nobody named.
    fetchOptions: { redirect: "manual" },
  };
}

/**
 * Anthropic takes a key as a bearer token (as the SDK sends it); servers that speak its API know one or the other
 * header, and the version that all of them know. Without a key none is sent, and none is looked for.
 */
function credentials(endpoint: Endpoint): ClientOptions {
  const { api_key, auth_token } = endpoint;
  const version = isAnthropic(endpoint) ? {} : { "anthropic-version": "2023-06-01" };
  if (api_key !== undefined) {
    const twice = isAnthropic(endpoint) ? {} : { "x-api-key": api_key };
    return { apiKey: api_key, defaultHeaders: { ...version, ...twice } };
  }
  if (auth_token !== undefined) return { authToken: auth_token, defaultHeaders: version };
  if (isAnthropic(endpoint)) {
    throw new Fault("credentials", `there is no key for ${endpoint.name}`, { remedy: "set ANTHROPIC_API_KEY" });
  }
  return { apiKey: "none", defaultHeaders: { ...version, authorization: null } };
}

function isAnthropic({ base_url }: Endpoint): boolean {
  const host = URL.canParse(base_url) ? new URL(base_url).hostname : "";
  return host === "anthropic.com" || host.endsWith(".anthropic.com");
}
