import type { ModelCard, TokenPrice } from "../protocol/model-card.ts";
import { type KnownModel, knownModels } from "./prices.ts";

/** What is known of a model. It guesses limits, on the small side, and never a price. */
export interface CardOptions {
  /** Milliseconds since the epoch: prices have dates. */
  at: number;
  /** By model id: what the operator says, which goes before what is known here. */
  overrides?: Readonly<Record<string, CardOverride>> | undefined;
  /** Whose door: other platforms know the same models, and have prices of their own. */
  via?: "anthropic" | "bedrock" | "vertex" | undefined;
}

export interface CardOverride {
  context_tokens?: number;
  output_tokens?: number;
  price?: TokenPrice;
}

export function cardOf(id: string, { at, overrides = {}, via = "anthropic" }: CardOptions): ModelCard {
  const known = knownModels.find((model) => model.id === plainId(id));
  const said = Object.hasOwn(overrides, id) ? overrides[id] : undefined;
  const price = said?.price ?? (via === "anthropic" && known ? priceAt(known, at) : undefined);
  const { context_tokens, output_tokens } = known ?? unknownModel;
  const context = said?.context_tokens ?? context_tokens;
  return {
    id,
    context_tokens: context,
    // An answer is part of its context; a model that is known to take little says no more than half of it.
    output_tokens: said?.output_tokens ?? Math.min(output_tokens, Math.max(1, Math.floor(context / 2))),
    ...(price ? { price } : {}),
  };
}

/** A model that nobody has told us of, such as one that runs on this machine: rather too little than too much. */
const unknownModel = { context_tokens: 32_768, output_tokens: 4_096 };

function priceAt({ prices }: KnownModel, at: number): TokenPrice | undefined {
  return prices.findLast(({ from }) => from === "" || Date.parse(from) <= at)?.price;
}

/** `us.anthropic.claude-haiku-4-5-20251001-v1:0` and `claude-haiku-4-5@20251001` are `claude-haiku-4-5`. */
function plainId(id: string): string {
  return id.replace(/^([a-z-]+\.)?anthropic\./, "").replace(/([-@]\d{8})?(-v\d+(:\d+)?)?$/, "");
}
