import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { expect } from "vitest";
import { z } from "zod";
import { takeRequest } from "../../src/coordinator/take-request.ts";
import { isAllowedUrl } from "../../src/settings/allowed-url.ts";
import { type Answer, send } from "./raw.ts";
import { keepingLog, openServed, type Served } from "./served.ts";

/** A server for clients that mean harm: to it, to its operator, or to who else uses it. */
export interface Besieged extends AsyncDisposable {
  served: Served;
  /** The same jobs, with little patience and eight connections. */
  impatient: string;
  job: { id: string; handle: string };
  /** Headers of the first token. */
  owner: string[];
  log: Parameters<typeof keepingLog>[0];
  /** Somebody's server, which no job may make ours call; and one that is allowed and sends callers on to it. */
  victimPort: number;
  mirrorPort: number;
  calls: string[];
  post(path: string, body: string, more?: string[]): Promise<Answer>;
  order(more?: object): string;
  /** Whatever is refused is a problem with a way out, and tells nothing of the machine. */
  expectRefused(answer: Answer | undefined, status: number | readonly number[], what: unknown): void;
  expectNoSecret(answer: Answer): void;
}

export const json = "Content-Type: application/json";
export const length = (body: string) => `Content-Length: ${Buffer.byteLength(body)}`;

export async function besiege(): Promise<Besieged> {
  const stack = new AsyncDisposableStack();
  const calls: string[] = [];
  const victim = createServer((socket) => {
    calls.push("called");
    socket.destroy();
  });
  const mirror = createHttpServer((_, answer) => {
    answer.writeHead(302, { location: `http://127.0.0.1:${portOf(victim)}/x.git/info/refs` }).end();
  });
  await Promise.all([victim, mirror].map((server) => once(server.listen(0, "127.0.0.1"), "listening")));
  stack.defer(() => void victim.close());
  stack.defer(() => {
    mirror.close();
    mirror.closeAllConnections();
  });
  const log: Besieged["log"] = [];
  const served = stack.use(await openBesieged(log, `http://127.0.0.1:${portOf(mirror)}/`));
  const impatient = await served.impatient({ bodyMs: 300, headersMs: 400, stallMs: 400, connections: 8 });
  const job = await served.submit("write");
  await (await served.ask(`/v1/jobs/${job.id}/events`)).text();
  const owner = ["Host: localhost", `Authorization: Bearer ${served.secret}`];
  const expectNoSecret = (answer: Answer) => expectNothingOf(served, answer);
  return {
    ...{ served, impatient, job, owner, log, calls, expectNoSecret },
    victimPort: portOf(victim),
    mirrorPort: portOf(mirror),
    post: (path, body, more = []) => send(served.url, `POST ${path}`, [...owner, json, length(body), ...more], body),
    order: (more = {}) => JSON.stringify({ job: {}, name: "write", repository: { path: served.repository }, ...more }),
    expectRefused(answer, status, what) {
      expect([status].flat(), JSON.stringify(what)).toContain(answer?.status);
      expect(answer?.headers["content-type"], JSON.stringify(what)).toBe("application/problem+json");
      expect(problem.parse(JSON.parse(answer?.body ?? "")).status).toBe(answer?.status);
      if (answer) expectNoSecret(answer);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

function openBesieged(log: Besieged["log"], allowed: string): Promise<Served> {
  return openServed({
    log: keepingLog(log),
    limits: { bundleBytes: 20_000, bodyBytes: 200_000, drainMs: 1_000 },
    changed: (order, { equipment, folder }) => {
      const rules = { roots: [folder], isAllowedUrl: (url: string) => isAllowedUrl(url, [allowed]) };
      const isOurs = (request: Parameters<typeof order.take>[0]) =>
        "path" in request.repository && request.job.version === undefined;
      return {
        ...order,
        take: (request, caller) =>
          isOurs(request)
            ? order.take(request, caller)
            : takeRequest(request, { ...rules, isTrusted: caller.isTrusted }, equipment),
      };
    },
  });
}

const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;

const problem = z.object({
  type: z.string().startsWith("/docs#problem-"),
  title: z.string().min(1),
  status: z.int(),
  detail: z.string().min(1),
  code: z.string().regex(/^[a-z_]+$/),
  remedy: z.string().min(1),
  instance: z.string().startsWith("urn:uuid:"),
});

function expectNothingOf(served: Served, answer: Answer): void {
  const whole = JSON.stringify(answer);
  expect(whole).not.toContain(served.secret);
  expect(whole).not.toContain(createHash("sha256").update(served.secret).digest("hex"));
  expect(whole).not.toContain(served.bench.equipment.home);
  expect(whole).not.toMatch(/\.ts:\d+|node_modules|\bat [A-Z]\w+\.|Postgres/);
  for (const name of ["server", "x-powered-by"]) expect(answer.headers).not.toHaveProperty(name);
  expect(answer.headers["x-content-type-options"]).toBe("nosniff");
  expect(answer.headers["content-security-policy"]).toContain("frame-ancestors 'none'");
  expect(answer.headers["referrer-policy"]).toBe("no-referrer");
  expect(answer.headers["cache-control"]).toBe("no-store");
  for (const name of Object.keys(answer.headers)) expect(name).not.toMatch(/^access-control|^set-cookie/);
}

/** Eight at a time. */
export async function all<T>(cases: readonly T[], look: (one: T) => Promise<void>): Promise<void> {
  for (let start = 0; start < cases.length; start += 8) await Promise.all(cases.slice(start, start + 8).map(look));
}
