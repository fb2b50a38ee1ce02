import { cardOf } from "../../model/cards.ts";
import type { ModelSpec } from "../../protocol/agent.ts";
import type { Endpoint } from "../../protocol/endpoint.ts";
import type { Failure } from "../../protocol/failure.ts";
import type { ModelCard } from "../../protocol/model-card.ts";
import type { ModelSettings } from "../../settings/models.ts";
import { endpointOf } from "./endpoint-of.ts";

/**
 * Which model and whose door a specification means, with what was learned of that door meanwhile. It asks nobody: what
 * it knows are the operator's settings, the environment, the cards, and what endpoints have refused since the start.
 */
export interface ModelDirectory {
  /** Undefined for what needs no endpoint: recipes, scripts and recordings. */
  of(spec: ModelSpec): { card: ModelCard; endpoint: Endpoint } | { failure: Failure } | undefined;
  /** That endpoint refused a field by name: later orders say so. True when that is new. */
  refused(endpointName: string, field: string): boolean;
}

export interface DirectorySources {
  settings: ModelSettings;
  /** A variable of the environment. */
  variable(name: string): string | undefined;
  /** Milliseconds since the epoch: prices have dates. */
  now(): number;
}

export function createModelDirectory({ settings, variable, now }: DirectorySources): ModelDirectory {
  const dropped = new Map<string, Set<string>>();
  return {
    of(spec) {
      if (spec.provider !== "messages") return undefined;
      const found = endpointOf(spec, settings.endpoint, variable);
      if ("failure" in found) return found;
      const { endpoint } = found;
      const card = cardOf(spec.model, { at: now(), overrides: settings.cards, via: spec.via });
      return { card, endpoint: { ...endpoint, dropped: [...(dropped.get(endpoint.name) ?? [])] } };
    },
    refused(endpointName, field) {
      const fields = dropped.get(endpointName) ?? new Set();
      dropped.set(endpointName, fields);
      const isNew = !fields.has(field);
      fields.add(field);
      return isNew;
    },
  };
}
