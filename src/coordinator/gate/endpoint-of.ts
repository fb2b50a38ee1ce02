import type { ModelSpec } from "../../protocol/agent.ts";
import type { Endpoint } from "../../protocol/endpoint.ts";
import type { Failure } from "../../protocol/failure.ts";
import type { EndpointSettings } from "../../settings/models.ts";

/**
 * Whose door a model is behind, with the key to it. A key of the environment goes only where the environment says, or
 * where it belongs: never to an address that the settings name.
 */
type MessagesSpec = Extract<ModelSpec, { provider: "messages" }>;
type Found = { endpoint: Endpoint } | { failure: Failure };
type Variable = (name: string) => string | undefined;

/** Variables whose values are never shown. */
export const keyVariables = [
  "ANTHROPIC_API_KEY",
  "ANTHROPIC_AUTH_TOKEN",
  "ANTHROPIC_VERTEX_ACCESS_TOKEN",
  "AWS_BEARER_TOKEN_BEDROCK",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
] as const;

const own = "https://api.anthropic.com";

export function endpointOf(spec: MessagesSpec, settings: EndpointSettings, variable: Variable): Found {
  switch (spec.via) {
    case "anthropic":
      return messagesEndpoint(settings, variable);
    case "bedrock":
      return bedrockEndpoint(settings, variable);
    case "vertex":
      return vertexEndpoint(settings, variable);
  }
}

function messagesEndpoint(settings: EndpointSettings, variable: Variable): Found {
  const written = settings.url ?? variable("ANTHROPIC_BASE_URL") ?? own;
  const url = URL.canParse(written) ? new URL(written) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash) {
    // What was written may hold a password.
    const message = "ANTHROPIC_BASE_URL is no address of a server that can be used";
    const remedy = "write https:// or http://, the host, and a path if there is one, without a user name or a query";
    return { failure: { code: "configuration", message, remedy } };
  }
  const keys = keysFor(url, settings, variable);
  const isLoopback = isLoopbackHost(url.hostname);
  if (!isLoopback && !keys.api_key && !keys.auth_token) return { failure: noKey(url, settings) };
  const isOwn = url.origin === own;
  const { cache = true, long_cache = isOwn, count_tokens = isOwn, betas = [] } = settings.capabilities;
  return {
    endpoint: {
      name: url.origin,
      kind: "anthropic",
      base_url: `${url.origin}${url.pathname}`.replace(/\/+(v1\/*)?$/, ""),
      ...keys,
      capabilities: { cache, long_cache, count_tokens, betas },
      ...patience(settings),
    },
  };
}

function keysFor(url: URL, settings: EndpointSettings, variable: Variable): Pick<Endpoint, "api_key" | "auth_token"> {
  if (settings.key !== undefined) return { api_key: settings.key };
  if (settings.url !== undefined && url.origin !== own) return {};
  const api_key = variable("ANTHROPIC_API_KEY")?.trim();
  const auth_token = variable("ANTHROPIC_AUTH_TOKEN")?.trim();
  return { ...(api_key ? { api_key } : {}), ...(auth_token ? { auth_token } : {}) };
}

function noKey({ origin }: URL, { url }: EndpointSettings): Failure {
  const isWritten = url !== undefined && origin !== own;
  return {
    code: "credentials",
    message: `there is no key for ${origin}, which answers the job's models`,
    remedy: isWritten
      ? "write endpoint.key beside endpoint.url in sheaf.config.yaml"
      : "set ANTHROPIC_API_KEY, or name a server of your own with ANTHROPIC_BASE_URL or endpoint.url",
  };
}

/** Needs no key: whoever answers there is this machine's own. */
export function isLoopbackHost(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}

function bedrockEndpoint(settings: EndpointSettings, variable: Variable): Found {
  const region = variable("AWS_REGION") ?? variable("AWS_DEFAULT_REGION");
  if (!region || !isRegion(region)) return { failure: missing("bedrock", "AWS_REGION", "such as us-east-1") };
  const api_key = variable("AWS_BEARER_TOKEN_BEDROCK");
  const aws = api_key ? undefined : awsKeys(variable);
  if (!api_key && !aws) {
    return { failure: missing("bedrock", "AWS_BEARER_TOKEN_BEDROCK, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY") };
  }
  return {
    endpoint: {
      name: `bedrock/${region}`,
      kind: "bedrock",
      base_url: withoutSlash(
        variable("ANTHROPIC_BEDROCK_BASE_URL") ?? `https://bedrock-runtime.${region}.amazonaws.com`,
      ),
      ...(api_key ? { api_key } : {}),
      ...(aws ? { aws } : {}),
      region,
      capabilities: cloudCapabilities(settings),
      ...patience(settings),
    },
  };
}

function awsKeys(variable: Variable): Endpoint["aws"] {
  const access_key = variable("AWS_ACCESS_KEY_ID");
  const secret_key = variable("AWS_SECRET_ACCESS_KEY");
  const session_token = variable("AWS_SESSION_TOKEN");
  if (!access_key || !secret_key) return undefined;
  return { access_key, secret_key, ...(session_token ? { session_token } : {}) };
}

function vertexEndpoint(settings: EndpointSettings, variable: Variable): Found {
  const region = variable("CLOUD_ML_REGION");
  if (!region || !isRegion(region))
    return { failure: missing("vertex", "CLOUD_ML_REGION", "such as us-east5 or global") };
  const project = variable("ANTHROPIC_VERTEX_PROJECT_ID");
  if (!project) return { failure: missing("vertex", "ANTHROPIC_VERTEX_PROJECT_ID") };
  const host = vertexHost(region);
  const auth_token = variable("ANTHROPIC_VERTEX_ACCESS_TOKEN");
  return {
    endpoint: {
      name: `vertex/${region}`,
      kind: "vertex",
      base_url: withoutSlash(variable("ANTHROPIC_VERTEX_BASE_URL") ?? `https://${host}`),
      ...(auth_token ? { auth_token } : {}),
      region,
      project,
      capabilities: cloudCapabilities(settings),
      ...patience(settings),
    },
  };
}

/** As Anthropic's package for Vertex makes it. */
function vertexHost(region: string): string {
  if (region === "global") return "aiplatform.googleapis.com";
  const isContinent = region === "us" || region === "eu";
  return isContinent ? `aiplatform.${region}.rep.googleapis.com` : `${region}-aiplatform.googleapis.com`;
}

/** It becomes part of a host name, beside a key. */
function isRegion(text: string): boolean {
  return /^[a-z0-9-]{2,40}$/.test(text);
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, "");
}

function missing(via: string, name: string, example?: string): Failure {
  return {
    code: via === "bedrock" && name.startsWith("AWS_BEARER") ? "credentials" : "configuration",
    message: `models called ${via}/... need ${name}`,
    remedy: `set it where sheaf is started${example ? `, ${example}` : ""}`,
  };
}

function cloudCapabilities({ capabilities }: EndpointSettings): Endpoint["capabilities"] {
  const { cache = true, long_cache = false, count_tokens = false, betas = [] } = capabilities;
  return { cache, long_cache, count_tokens, betas };
}

function patience({
  firstChunkMs,
  stallMs,
}: EndpointSettings): Pick<Endpoint, "dropped" | "first_chunk_ms" | "stall_ms"> {
  return { dropped: [], first_chunk_ms: firstChunkMs, stall_ms: stallMs };
}
