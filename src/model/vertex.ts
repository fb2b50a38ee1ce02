import type { ClientOptions } from "@anthropic-ai/sdk";
import type { ClientOptions as VertexOptions } from "@anthropic-ai/vertex-sdk";
import type { Endpoint } from "../protocol/endpoint.ts";
import { Fault } from "../protocol/failure.ts";
import { loadOptional } from "./load-optional.ts";

/**
 * The client of Anthropic's package for Claude on Google Cloud, with the access token that it is handed. It finds none
 * by itself: Google's default credentials are files, programs and addresses of the process, not of a thread.
 */
export async function vertexClient(endpoint: Endpoint, options: ClientOptions) {
  const { auth_token, project, region = "global" } = endpoint;
  if (auth_token === undefined) throw new Fault("credentials", "there is no access token for Vertex", { remedy });
  if (project === undefined) {
    throw new Fault("configuration", "there is no project for Vertex", { remedy: "set ANTHROPIC_VERTEX_PROJECT_ID" });
  }
  const { AnthropicVertex } = await loadOptional("@anthropic-ai/vertex-sdk", () => import("@anthropic-ai/vertex-sdk"));
  return new AnthropicVertex({
    ...options,
    // The package puts the whole path behind an address that ends with a version.
    baseURL: `${endpoint.base_url.replace(/\/v1$/, "")}/v1`,
    region,
    projectId: project,
    authClient: holderOf(auth_token),
    // Of the versions of the API the one that all models there know.
    defaultHeaders: { "anthropic-version": "vertex-2023-10-16" },
  });
}

const remedy = "set ANTHROPIC_VERTEX_ACCESS_TOKEN, such as to the output of: gcloud auth print-access-token";

/** The package asks its holder of credentials for headers, and nothing else. */
function holderOf(token: string): NonNullable<VertexOptions["authClient"]> {
  const headers = () => Promise.resolve(new Headers({ authorization: `Bearer ${token}` }));
  return { getRequestHeaders: headers } as unknown as NonNullable<VertexOptions["authClient"]>;
}
