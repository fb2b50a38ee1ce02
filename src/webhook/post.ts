import { Webhook } from "standardwebhooks";

/** One attempt to hand a message over. It follows no redirect and reads no answer: a receiver can only say how it went. */
export interface Posted {
  /** `gone`: the receiver wants nothing more, ever (410). */
  state: "delivered" | "failed" | "gone";
  /** Status or error, for a person. */
  why: string;
  /** What the receiver asked for with Retry-After, in milliseconds. */
  retryAfterMs?: number;
}

export interface PostOrder {
  /** Stays the same over all attempts: receivers tell repeats by it. */
  id: string;
  url: string;
  /** `whsec_...` */
  secret: string;
  body: string;
  /** Milliseconds since the epoch; part of what is signed, so that an old request cannot be sent again by others. */
  at: number;
  timeoutMs: number;
  /** Aborted when the process ends. */
  signal: AbortSignal;
}

/** By the Standard Webhooks specification 1.0: `webhook-id`, `webhook-timestamp`, `webhook-signature`. */
export async function post({ id, url, secret, body, at, timeoutMs, signal }: PostOrder): Promise<Posted> {
  const headers = {
    "content-type": "application/json",
    "user-agent": "sheaf-webhooks",
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(at / 1000)),
    "webhook-signature": new Webhook(secret).sign(id, new Date(at), body),
  };
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  try {
    const response = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal: limit });
    await response.body?.cancel();
    return judge(response);
  } catch (thrown) {
    return { state: "failed", why: reasonOf(thrown, timeoutMs) };
  }
}

function judge({ status, headers }: Response): Posted {
  const why = `it answered ${status}`;
  if (status >= 200 && status < 300) return { state: "delivered", why };
  if (status === 410) return { state: "gone", why };
  const seconds = /^\d{1,6}$/.exec(headers.get("retry-after") ?? "")?.[0];
  return { state: "failed", why, ...(seconds === undefined ? {} : { retryAfterMs: Number(seconds) * 1000 }) };
}

function reasonOf(thrown: unknown, timeoutMs: number): string {
  if (!(thrown instanceof Error)) return String(thrown);
  if (thrown.name === "TimeoutError") return `no answer within ${timeoutMs / 1000} s`;
  const { cause } = thrown;
  return cause instanceof Error && "code" in cause ? String(cause.code) : thrown.message;
}
