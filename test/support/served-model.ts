import type { Hearing, Model, ModelRequest } from "../../src/model/model.ts";
import { type ModelMeans, openModel } from "../../src/model/open-model.ts";
import type { Endpoint, ModelSign } from "../../src/protocol/endpoint.ts";

/** A model behind a server of the test's own, opened as a run opens it. */
export function servedModel(url: string, endpoint: Partial<Endpoint> = {}): Promise<Model> {
  const model = {
    card: { id: "test-model", context_tokens: 200_000, output_tokens: 8_000 },
    endpoint: endpointAt(url, endpoint),
  };
  return openModel({ provider: "messages", via: endpoint.kind ?? "anthropic", model: "test-model" }, { view, model });
}

export function endpointAt(url: string, endpoint: Partial<Endpoint> = {}): Endpoint {
  return {
    name: url,
    kind: "anthropic",
    base_url: url,
    capabilities: { cache: true, long_cache: false, count_tokens: false, betas: [] },
    dropped: [],
    first_chunk_ms: 30_000,
    stall_ms: 30_000,
    ...endpoint,
  };
}

/** Recipes alone look at a repository. */
const view: ModelMeans["view"] = {
  files: [],
  read: async () => ({ refused: "there are no files" }),
  editRefusal: () => "there are no files",
  list: async () => ({ paths: [], isComplete: true }),
  peek: () => undefined,
  alive: () => {},
};

export function ask(request: Partial<ModelRequest> = {}): ModelRequest {
  return {
    system: "Be brief.",
    messages: [{ role: "user", content: [{ type: "text", text: "Hello." }] }],
    tools: [{ name: "read", description: "Reads a file.", input_schema: { type: "object" } }],
    breakpoints: [],
    maxTokens: 100,
    ...request,
  };
}

export interface Listener extends Hearing {
  signs: ModelSign[];
  begun: number;
}

export function listener(signal: AbortSignal = new AbortController().signal): Listener {
  const signs: ModelSign[] = [];
  const heard = {
    signal,
    signs,
    begun: 0,
    said: (sign: ModelSign) => void signs.push(sign),
    began: () => void heard.begun++,
  };
  return heard;
}
