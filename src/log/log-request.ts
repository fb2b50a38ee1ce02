import type { Log, LogFields } from "./log.ts";

/** One answered request, as a server saw it. */
export interface AnsweredRequest {
  method: string;
  /** As it was asked for. Only its path is told: a query may hold what nobody else should read. */
  url: string;
  status: number;
  durationMs: number;
  /** Who asked: the name of a token, never the token. */
  caller?: string | undefined;
  /** Bytes of the answer, where they are known. */
  bytes?: number | undefined;
  fields?: LogFields;
}

/** Answers 500 and above are errors, the rest is information; looks at the server's health are details. */
export function logRequest(log: Log, request: AnsweredRequest): void {
  const { method, url, status, durationMs, caller, bytes, fields } = request;
  const path = requestPath(url);
  const told = {
    ...fields,
    method: method.slice(0, 20),
    path,
    status,
    duration_ms: Math.round(durationMs),
    caller,
    bytes,
  };
  if (status >= 500) log.error("request", told);
  else if (path === "/healthz" || path === "/readyz") log.debug("request", told);
  else log.info("request", told);
}

/** The path of a request target, without query and fragment; at most 1,000 characters. */
export function requestPath(url: string): string {
  const path = url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, "");
  return path.split(/[?#]/, 1)[0]?.slice(0, 1_000) || "/";
}
