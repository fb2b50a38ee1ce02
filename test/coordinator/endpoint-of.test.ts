import { describe, expect, it } from "vitest";
import { endpointOf } from "../../src/coordinator/gate/endpoint-of.ts";
import { createModelDirectory } from "../../src/coordinator/gate/model-directory.ts";
import type { EndpointSettings } from "../../src/settings/models.ts";
import { modelSettingsOf } from "../../src/settings/models.ts";
import { writtenSettings } from "../../src/settings/written.ts";

type Via = "anthropic" | "bedrock" | "vertex";
const usual: EndpointSettings = { capabilities: {}, firstChunkMs: 1, stallMs: 1 };

function find(variables: Record<string, string>, settings: Partial<EndpointSettings> = {}, via: Via = "anthropic") {
  const spec = { provider: "messages", via, model: "m" } as const;
  return endpointOf(spec, { ...usual, ...settings }, (name) => variables[name]);
}

describe("who answers a model", () => {
  it.each([
    ["https://api.anthropic.com", { ANTHROPIC_API_KEY: "k" }],
    ["http://127.0.0.1:8000", { ANTHROPIC_BASE_URL: "http://127.0.0.1:8000/v1/" }],
    ["http://localhost:11434", { ANTHROPIC_BASE_URL: "http://localhost:11434" }],
    ["http://[::1]:1", { ANTHROPIC_BASE_URL: "http://[::1]:1/v1" }],
    [
      "https://proxy.lan/anthropic",
      { ANTHROPIC_BASE_URL: "https://proxy.lan/anthropic/v1", ANTHROPIC_AUTH_TOKEN: "t" },
    ],
  ])("is %s, with and without /v1, and needs no key on this machine", (base_url, variables) => {
    expect(find(variables)).toMatchObject({ endpoint: { base_url, name: new URL(base_url).origin } });
  });

  it("gets the key of the environment only where the environment sends it, or where it belongs", () => {
    const key = { ANTHROPIC_API_KEY: "of-anthropic" };
    expect(find(key, { url: "https://elsewhere.example" })).toMatchObject({ failure: { code: "credentials" } });
    expect(find(key, { url: "http://127.0.0.1:1" })).not.toHaveProperty("endpoint.api_key");
    expect(find(key, { url: "https://api.anthropic.com/v1" })).toHaveProperty("endpoint.api_key", "of-anthropic");
    const settings = { url: "https://elsewhere.example", key: "own" };
    expect(find({ ...key, ANTHROPIC_AUTH_TOKEN: "t" }, settings)).toHaveProperty("endpoint.api_key", "own");
    expect(find({ ...key, ANTHROPIC_AUTH_TOKEN: "t" }, settings)).not.toHaveProperty("endpoint.auth_token");
  });

  it.each([
    "not an address",
    "ftp://h",
    "https://me:hunter2@h",
    "https://h/?key=hunter2",
    "https://127.0.0.1.example.com",
    "https://localhost.example.com",
  ])("is nobody for %s, and no message repeats what may be a password", (ANTHROPIC_BASE_URL) => {
    const found = find({ ANTHROPIC_BASE_URL });
    expect(found).toHaveProperty("failure.remedy");
    expect(JSON.stringify(found)).not.toContain("hunter2");
  });

  it("may be sent newer fields only where it is known to take them, or the operator says so", () => {
    const own = { cache: true, long_cache: true, count_tokens: true, betas: [] };
    expect(find({ ANTHROPIC_API_KEY: "k" })).toHaveProperty("endpoint.capabilities", own);
    const other = { ANTHROPIC_BASE_URL: "http://127.0.0.1:1" };
    const least = { cache: true, long_cache: false, count_tokens: false, betas: [] };
    expect(find(other)).toHaveProperty("endpoint.capabilities", least);
    const said = { capabilities: { cache: false, betas: ["b"] } };
    expect(find(other, said)).toHaveProperty("endpoint.capabilities", { ...least, cache: false, betas: ["b"] });
  });

  it("is a region of Bedrock or Vertex where all that they need is set", () => {
    const bedrock = { AWS_REGION: "eu-west-1", AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "s" };
    expect(find(bedrock, {}, "bedrock")).toMatchObject({
      endpoint: { name: "bedrock/eu-west-1", aws: { access_key: "a", secret_key: "s" } },
    });
    expect(find({ AWS_REGION: "eu-west-1" }, {}, "bedrock")).toMatchObject({ failure: { code: "credentials" } });
    expect(find({ ...bedrock, AWS_REGION: "evil.example/x" }, {}, "bedrock")).toHaveProperty("failure");
    const vertex = { CLOUD_ML_REGION: "global", ANTHROPIC_VERTEX_PROJECT_ID: "p" };
    expect(find(vertex, {}, "vertex")).toMatchObject({
      endpoint: { base_url: "https://aiplatform.googleapis.com", project: "p" },
    });
    expect(find({ CLOUD_ML_REGION: "global" }, {}, "vertex")).toHaveProperty("failure");
  });
});

describe("the directory of models", () => {
  it("remembers what an endpoint refused, for all its models, and takes the operator's word on cards", () => {
    const written = writtenSettings.parse({ models: { own: { context: 9_000, output: 500 } } });
    const directory = createModelDirectory({
      settings: modelSettingsOf(written, undefined),
      variable: (name) => (name === "ANTHROPIC_BASE_URL" ? "http://127.0.0.1:1" : undefined),
      now: () => 0,
    });
    const spec = (model: string) => ({ provider: "messages", via: "anthropic", model }) as const;
    expect(directory.of(spec("own"))).toMatchObject({ card: { context_tokens: 9_000, output_tokens: 500 } });
    expect(directory.refused("http://127.0.0.1:1", "cache_control")).toBe(true);
    expect(directory.refused("http://127.0.0.1:1", "cache_control")).toBe(false);
    expect(directory.of(spec("other"))).toMatchObject({ endpoint: { dropped: ["cache_control"] } });
    expect(directory.of({ provider: "recipe", recipe: { name: "no-var" } })).toBeUndefined();
  });
});
