import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { matchedRoutes } from "hono/route";
import type { AuditLog } from "../db/audit.ts";
import type { Log } from "../log/log.ts";
import { requestPath } from "../log/log-request.ts";
import type { Clock } from "../protocol/ids.ts";
import { type HttpEnv, refuse } from "./exchange.ts";

/**
 * Does nothing that asks for a change before it is written down who asked; a call that cannot be written down is not
 * carried out. What was refused is written down as well. Calls that only look pass by.
 */
export interface Recording {
  audit: Pick<AuditLog, "begin" | "end">;
  clock: Clock;
  log: Log;
}

export function recordCalls({ audit, clock, log }: Recording) {
  const strangers = new Budget("many calls without a valid token", { clock, log });
  const lost = new Budget("many calls to addresses that take none", { clock, log });
  return createMiddleware<HttpEnv>(async (c, next) => {
    const { exchange, incoming } = c.env;
    const { address } = exchange;
    const { method } = c.req;
    if (["GET", "HEAD", "OPTIONS"].includes(method)) return next();
    const actor = exchange.caller?.name;
    // Without a valid token it is refused further on, whatever it is; and so is what no address takes.
    if (actor === undefined ? !strangers.spend(address) : !isTaken(c) && !lost.spend(actor)) return next();
    const call = { actor, address, method, path: requestPath(incoming.url ?? ""), requestId: exchange.id };
    let id: string;
    try {
      id = await audit.begin(call);
    } catch (cause) {
      return refuse(c, { ...notRecorded, cause });
    }
    await next();
    await audit.end(id, c.res.status).catch((error: unknown) => {
      log.error("the audit log does not know how a call ended", { request: exchange.id, error });
    });
  });
}

const notRecorded = {
  code: "not_recorded",
  detail: "the call cannot be written to the audit log, so it was not carried out",
  remedy: "try again later; the server's log says why",
  headers: { "retry-after": "5" },
};

/** There is such an address, and it takes that method. */
function isTaken(c: Context<HttpEnv>): boolean {
  return matchedRoutes(c).some(({ method }) => method !== "ALL");
}

/** How many calls that are refused whatever they say are written down, so that nobody fills the disk with them. */
class Budget {
  readonly #what: string;
  readonly #clock: Clock;
  readonly #log: Log;
  #minute = 0;
  #spent = 0;
  #isSaid = false;
  readonly #byCaller = new Map<string, number>();

  constructor(what: string, { clock, log }: Pick<Recording, "clock" | "log">) {
    this.#what = what;
    this.#clock = clock;
    this.#log = log;
  }

  /** `caller` is an address or a name. */
  spend(caller = ""): boolean {
    const minute = Math.floor(this.#clock.now() / 60_000);
    if (minute !== this.#minute) this.#begin(minute);
    const spent = this.#byCaller.get(caller) ?? 0;
    if (this.#spent < mostOfAll && spent < mostOfOne) {
      this.#spent += 1;
      this.#byCaller.set(caller, spent + 1);
      return true;
    }
    if (!this.#isSaid) this.#log.warn(`${this.#what}; for a minute the audit log leaves them out`);
    this.#isSaid = true;
    return false;
  }

  #begin(minute: number): void {
    this.#minute = minute;
    this.#spent = 0;
    this.#isSaid = false;
    this.#byCaller.clear();
  }
}

/** In a minute: of one caller, and of all together. */
const mostOfOne = 20;
const mostOfAll = 60;
