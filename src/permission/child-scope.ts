import type { PermissionMode, Rule, Scope, ScopeLayer } from "../protocol/scope.ts";
import { offeredTools } from "./offered-tools.ts";

/** What an agent asks for one that it starts. */
export interface ScopeRequest {
  source: string;
  allow: readonly Rule[];
  ask?: readonly Rule[];
  deny?: readonly Rule[];
  /** What that one may grant in turn, beyond what it holds. */
  grant?: readonly Rule[];
  tools?: readonly string[];
  mode?: PermissionMode;
}

/**
 * The scope of an agent that another one starts: what is asked for, of what the parent may grant. The operator's
 * ceiling is among the parent's layers and stays. What the parent holds itself is not looked at: it may give away what
 * it has no use for, and never what it was not given to grant.
 */
export function childScope(parent: Scope, request: ScopeRequest): Scope {
  const given = parent.grantable ?? parent.layers;
  const mode = stricter(parent.mode, request.mode);
  // The first layer grants: where the parent has none there is nothing that a request could be part of.
  const within = (more: readonly Rule[]) => (given.length === 0 ? [] : [...given, layerOf(request, more)]);
  const scope: Scope = {
    layers: within([]),
    tools: [],
    ...(mode ? { mode } : {}),
    ...(request.grant?.length ? { grantable: within(request.grant) } : {}),
  };
  return { ...scope, tools: offeredTools(scope, request.tools ?? parent.tools) };
}

function layerOf({ source, allow, ask = [], deny = [] }: ScopeRequest, more: readonly Rule[]): ScopeLayer {
  return { source, allow: [...allow, ...more], ask: [...ask], deny: [...deny] };
}

/** Absent means deny. */
function stricter(parent: PermissionMode | undefined, request: PermissionMode | undefined): PermissionMode | undefined {
  const strictness = (mode: PermissionMode | undefined) => ["ask", "deny", "plan"].indexOf(mode ?? "deny");
  if (request === undefined) return parent;
  return strictness(request) > strictness(parent) ? request : parent;
}

/** Adds a voice that can only take away: every layer must allow. */
export function narrow(scope: Scope, layer: ScopeLayer): Scope {
  const grantable = scope.grantable ? { grantable: [...scope.grantable, layer] } : {};
  return { ...scope, layers: [...scope.layers, layer], ...grantable };
}
