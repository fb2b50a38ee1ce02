import type { ClientOptions } from "@anthropic-ai/sdk";
import type { Endpoint } from "../protocol/endpoint.ts";
import { Fault } from "../protocol/failure.ts";
import { loadOptional } from "./load-optional.ts";

/**
 * The client of Anthropic's package for Amazon Bedrock, with the keys that it is handed. It finds none by itself: the
 * chain of files, variables and addresses that AWS looks through belongs to the process, not to a thread.
 */
export async function bedrockClient(endpoint: Endpoint, options: ClientOptions) {
  const { api_key, aws, region = "us-east-1" } = endpoint;
  if (api_key === undefined && !aws) throw new Fault("credentials", "there is no key for Bedrock", { remedy });
  const { AnthropicBedrock } = await loadOptional(
    "@anthropic-ai/bedrock-sdk",
    () => import("@anthropic-ai/bedrock-sdk"),
  );
  const given = {
    ...options,
    awsRegion: region,
    // Of the versions of the API the one that all models there know.
    defaultHeaders: { "anthropic-version": "bedrock-2023-05-31" },
  };
  if (api_key !== undefined || !aws) return new AnthropicBedrock({ ...given, apiKey: api_key ?? null });
  const { access_key: awsAccessKey, secret_key: awsSecretKey, session_token: awsSessionToken = null } = aws;
  return new AnthropicBedrock({ ...given, apiKey: null, awsAccessKey, awsSecretKey, awsSessionToken });
}

const remedy = "set AWS_BEARER_TOKEN_BEDROCK, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
