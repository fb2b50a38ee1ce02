import type { ServerResponse } from "node:http";
import type { HttpBindings } from "@hono/node-server";
import type { Context, TypedResponse } from "hono";
import type { ClientErrorStatusCode, ServerErrorStatusCode } from "hono/utils/http-status";
import type { Scope } from "../access/token.ts";
import { type Problem, type Refusal, refusalOf, toProblem } from "./problem.ts";

/** One request and its answer, as the handlers and the server around them share it. */
export interface Exchange {
  /** A UUID, in `instance` of a problem, in X-Request-Id and in the log. */
  id: string;
  /** The 0600 socket in the data folder: whoever may open it is the operator. */
  isTrusted: boolean;
  /** Where the connection comes from; absent at the socket. Never what a header says. */
  address?: string | undefined;
  /** Once it is known. */
  caller?: Caller;
  /** The scope that its address takes, once that is known. */
  needed?: Scope;
  /** Whether the token that was sent is still one, with that scope; for answers that take long. */
  isStillWelcome?: () => Promise<boolean>;
  /** The ids of the request's span, once there is one. */
  span?: { trace_id: string; span_id: string };
  /** The server's own failure, for the log. */
  failure?: unknown;
  /** Set by a handler whose answer is a stream: it writes the whole response, head included. */
  writeItself?: (outgoing: ServerResponse) => void;
}

/** Who asks, and what they may do. */
export interface Caller {
  /** The token's name, or `operator` at the data folder's socket. */
  name: string;
  scopes: readonly Scope[];
  /** May name any repository of the machine: a person who could run `sheaf` there themselves. */
  isTrusted: boolean;
}

export interface HttpEnv {
  Bindings: HttpBindings & { exchange: Exchange };
}

type Refused = Response & TypedResponse<Problem, ClientErrorStatusCode | ServerErrorStatusCode, "json">;

/** Answers with a problem. */
export function refuse(c: Context<HttpEnv>, refusal: Refusal): Refused {
  const { exchange } = c.env;
  const said = toProblem(refusal, exchange.id);
  if (said.status >= 500) exchange.failure = refusal.cause ?? refusal.detail;
  const head = { ...refusal.headers, "content-type": "application/problem+json" };
  // Every status of problem.ts is an error's.
  return c.json(said, said.status as ClientErrorStatusCode, head);
}

/** Answers with the problem of what was thrown. */
export function refuseThrown(c: Context<HttpEnv>, thrown: unknown): Refused {
  return refuse(c, refusalOf(thrown, c.env.exchange));
}
