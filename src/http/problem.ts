import { STATUS_CODES } from "node:http";
import { z } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import { exitOfFailure, type Failure, Fault, faultExits, toFailure } from "../protocol/failure.ts";

/**
 * Why a request was not done, as RFC 9457 problem details: the one shape of every answer that is not a success. It
 * never repeats what an unexpected error said; that is in the server's log under the same request id.
 */
export const problem = z
  .object({
    type: z.string().meta({ description: "a link to what the code means, on the reference page" }),
    title: z.string(),
    status: z.int(),
    detail: z.string().meta({ description: "what was attempted, on what, and what went wrong" }),
    code: z.string().meta({ description: "stable; what a program looks at" }),
    remedy: z.string().meta({ description: "what to try next" }),
    exit_code: z.int().optional().meta({ description: "what the command line leaves with for this reason" }),
    instance: z.string().meta({ description: "this request; the same id is in the server's log" }),
    errors: z
      .array(z.object({ place: z.string(), message: z.string() }))
      .optional()
      .meta({ description: "each place of the request that is wrong" }),
  })
  .meta({ id: "Problem", description: "RFC 9457 problem details" });
export type Problem = z.infer<typeof problem>;

/** A refusal before it is written down: which problem, and what there is to say about this one. */
export interface Refusal {
  code: string;
  detail: string;
  remedy?: string | undefined;
  errors?: { place: string; message: string }[];
  headers?: Readonly<Record<string, string>>;
  /** Where the address says more about it than the code does. */
  status?: number;
  /** Only with the server's own failures: for the log. */
  cause?: unknown;
}

/** Every code of a refusal that the server makes itself, with its status and title. */
const ownProblems = {
  bad_request: [400, "The request is not well formed"],
  malformed_json: [400, "The body is not JSON"],
  invalid: [400, "The request does not fit its schema"],
  unauthorized: [401, "A bearer token is needed"],
  forbidden: [403, "The token does not allow this"],
  host_not_allowed: [403, "This server does not go by that name"],
  origin_not_allowed: [403, "Requests of other sites' pages are refused"],
  not_found: [404, "There is nothing here"],
  unknown_run: [404, "There is no such run"],
  unknown_approval: [404, "There is no such approval"],
  unknown_token: [404, "There is no such token"],
  unknown_task: [404, "The job has no such task"],
  method_not_allowed: [405, "That method is not for this address"],
  not_acceptable: [406, "Nothing of what the client takes can be given"],
  approval_decided: [409, "Somebody has answered that already"],
  approval_expired: [409, "The question has expired"],
  approval_withdrawn: [409, "The question was withdrawn"],
  request_timeout: [408, "The request took too long to arrive"],
  token_exists: [409, "There is a token of that name"],
  token_expired: [409, "The token has expired"],
  last_admin: [409, "Nobody could manage the server any more"],
  too_many_tokens: [409, "There are as many tokens as there may be"],
  content_too_large: [413, "The body is too large"],
  expectation_failed: [417, "What the request expects cannot be met"],
  unsupported_media_type: [415, "The body's type is not taken here"],
  hash_mismatch: [422, "The bytes are not those of that hash"],
  not_a_bundle: [422, "The bytes are no git bundle"],
  too_many_streams: [429, "As many streams of events are open as may be"],
  headers_too_large: [431, "The headers are too large"],
  not_recorded: [503, "The call cannot be written to the audit log"],
  draining: [503, "The server is stopping"],
  not_ready: [503, "The server is not ready"],
} as const satisfies Record<string, readonly [number, string]>;

/** Where the exit code does not say it well enough. */
const faultProblems: Readonly<Record<string, readonly [number, string]>> = {
  usage: [400, "The request asks for what cannot be"],
  unknown_job: [404, "There is no such job"],
  conflict: [409, "That cannot be done in the state things are in"],
  idempotency: [422, "That idempotency key was used for another request"],
  sandbox_unavailable: [422, "This server cannot run commands"],
  bundle: [422, "The bundle cannot be used"],
  not_allowed: [403, "This server may not use that"],
  credentials: [503, "The server is not set up for this"],
  git: [500, "The server met a failure of its own"],
  fenced: [503, "Another process has taken over"],
  storage_full: [507, "The server's disk is full"],
};

const byExit: Readonly<Record<number, readonly [number, string]>> = {
  64: [422, "The request cannot be carried out"],
  65: [422, "The job cannot be read"],
  69: [503, "Something the job needs is not available"],
  75: [503, "Not now"],
  77: [403, "That is not allowed"],
  78: [503, "The server is not set up for this"],
};

/** Status and title of a code, ours or a Fault's; what nobody knows is the server's own failure. */
export function kindOf(code: string): readonly [number, string] {
  if (Object.hasOwn(ownProblems, code)) return ownProblems[code as keyof typeof ownProblems];
  if (Object.hasOwn(faultProblems, code)) return faultProblems[code] ?? internal;
  return byExit[exitOfFailure({ code, message: "" })] ?? internal;
}

const internal = [500, "The server met a failure of its own"] as const;

/** All codes there are, for the reference page. */
export function allCodes(): string[] {
  return [...Object.keys(ownProblems), ...Object.keys(faultExits).filter((code) => !Object.hasOwn(ownProblems, code))];
}

/**
 * What was thrown, as a refusal. Only a Fault's own words, which are made for people, are passed on; and those about the
 * state of the server's machine, which name its folders and its database, only to its operator.
 */
export function refusalOf(thrown: unknown, { isTrusted }: { isTrusted: boolean }): Refusal {
  if (thrown instanceof HTTPException) return adapterRefusal(thrown);
  const failure: Failure = toFailure(thrown);
  const isMeant = thrown instanceof Fault || failure.code !== "internal";
  if (isMeant && (isTrusted || !ofTheMachine.has(failure.code))) {
    return { code: failure.code, detail: failure.message, remedy: failure.remedy, cause: thrown };
  }
  const detail = machineDetails[failure.code] ?? "the server met something it did not expect";
  return { code: failure.code, detail, remedy: inTheLog, cause: thrown };
}

const machineDetails: Readonly<Record<string, string>> = {
  internal: "the server met something it did not expect",
  git: "a call of git failed on the server",
  storage_full: "the server's disk is full",
  database_unavailable: "the server's database does not answer",
  database_newer: "the server's database is of a newer version",
  read_only: "the server cannot write where it has to",
  credentials: "the server has no access to something of its own",
  configuration: "the server is not set up for this",
  locked: "something of the server's is in use",
};
const ofTheMachine = new Set(Object.keys(machineDetails));

const inTheLog = "the server's log says more under the id in `instance`";

/** What the adapter of schemas refuses by itself. */
function adapterRefusal({ status, message }: HTTPException): Refusal {
  if (status === 415)
    return { code: "unsupported_media_type", detail: message, remedy: "see the reference page (/docs)" };
  return { code: "bad_request", detail: message };
}

/** The refusal as it is sent; `id` is the request's. */
export function toProblem(refusal: Refusal, id: string): Problem {
  const [usual, title] = kindOf(refusal.code);
  const status = refusal.status ?? usual;
  return {
    type: `/docs#problem-${refusal.code}`,
    title: status === usual ? title : (STATUS_CODES[status] ?? title),
    status,
    detail: refusal.detail,
    code: refusal.code,
    remedy: refusal.remedy ?? "the reference page (/docs) tells what this address takes and answers",
    ...(Object.hasOwn(faultExits, refusal.code)
      ? { exit_code: exitOfFailure({ code: refusal.code, message: "" }) }
      : {}),
    instance: `urn:uuid:${id}`,
    ...(refusal.errors ? { errors: refusal.errors } : {}),
  };
}
