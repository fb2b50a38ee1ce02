import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { openTokens } from "../../src/access/open-tokens.ts";
import { readSecret } from "../../src/access/token-file.ts";
import { type Coordinator, createCoordinator, type LocalCoordinator } from "../../src/coordinator/coordinator.ts";
import { retakeJob } from "../../src/coordinator/retry.ts";
import { openAudit } from "../../src/db/audit.ts";
import { createApp, type HttpApp, type HttpOrder } from "../../src/http/app.ts";
import type { HttpLimits } from "../../src/http/limits.ts";
import { type Listening, listen } from "../../src/http/listen.ts";
import { type Log, silentLog } from "../../src/log/log.ts";
import { Fault } from "../../src/protocol/failure.ts";
import type { Clock } from "../../src/protocol/ids.ts";
import type { JobSpec } from "../../src/protocol/job.ts";
import { createRedactor } from "../../src/telemetry/redact.ts";
import { openRepository } from "../../src/workspace/repository.ts";
import { openTestBench, type TestBench, writingTask } from "../support/equipment.ts";

const clock: Clock = { now: Date.now, random: randomBytes };

/** A real server on a free port, over a real coordinator on a real database and repository. */
export interface Served extends AsyncDisposable {
  bench: TestBench;
  coordinator: LocalCoordinator;
  app: HttpApp;
  listening: Listening;
  url: string;
  /** The first token's secret, and its header. */
  secret: string;
  authorized: { authorization: string };
  /** The top level of a small repository, whose jobs do what their name says: see jobNamed. */
  repository: string;
  /** A request with the token; `path` is below the server's address. */
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** The address of another server over the same jobs, for what must come to its limits of time and nothing else. */
  impatient(limits: Partial<HttpLimits>): Promise<string>;
  /** Submits a job of that name over HTTP; answers its view. */
  submit(name: string, headers?: Record<string, string>): Promise<{ id: string; handle: string; trace_id: string }>;
}

export async function openServed({
  instead,
  changed = (order) => order,
  ...more
}: Partial<HttpOrder> & {
  instead?: (coordinator: Coordinator) => Coordinator;
  changed?: (order: HttpOrder, bench: TestBench) => HttpOrder;
} = {}): Promise<Served> {
  const stack = new AsyncDisposableStack();
  const bench = stack.use(await openTestBench());
  const coordinator = stack.use(createCoordinator(bench.equipment));
  const { repository, spec } = await bench.repository({ "README.md": "x\n" });
  const tokens = await openTokens(bench.equipment.home, { clock, log: silentLog });
  const secret = await readSecret(bench.equipment.home);
  const { home, git } = bench.equipment;
  const take: HttpOrder["take"] = async (request, caller) => {
    if (!("path" in request.repository)) throw new Fault("not_allowed", "only paths here");
    if (!caller.isTrusted && request.repository.path !== repository.user.top) {
      throw new Fault("not_allowed", "this server may not use that folder", { remedy: "name another" });
    }
    return {
      spec: jobNamed(request.name ?? "job", spec),
      repository: await openRepository(repository.user.top, { home, git }),
    };
  };
  const order: HttpOrder = changed(
    {
      coordinator: instead?.(coordinator) ?? coordinator,
      take,
      retake: (id, asked, { isTrusted }) =>
        retakeJob(id, asked, {
          rules: { isTrusted, roots: [repository.user.top], isAllowedUrl: () => false },
          ...bench.equipment,
        }),
      tokens,
      audit: openAudit({ clock, redact: createRedactor([]) }, bench.equipment.database),
      hosts: ["sheaf.example.com"],
      bundles: join(home, "bundles"),
      clock,
      log: silentLog,
      version: "0.0.0-test",
      ...more,
    },
    bench,
  );
  const app = createApp(order);
  const impatient: Served["impatient"] = async (limits) => {
    const other = await listen(createApp({ ...order, limits: { ...order.limits, ...limits } }), {
      port: 0,
      host: "127.0.0.1",
    });
    stack.defer(() => other.close());
    return other.url;
  };
  const listening = await listen(app, { port: 0, host: "127.0.0.1" });
  stack.defer(() => listening.close());
  stack.defer(() => coordinator.stop("SIGTERM"));
  const authorized = { authorization: `Bearer ${secret}` };
  const ask: Served["ask"] = (path, init = {}) =>
    fetch(`${listening.url}${path}`, { ...init, headers: { ...authorized, ...headersOf(init) } });
  const submit: Served["submit"] = async (name, headers = {}) => {
    const body = JSON.stringify({ job: {}, name, repository: { path: repository.user.top } });
    const answer = await ask("/v1/jobs", {
      method: "POST",
      body,
      headers: { "content-type": "application/json", ...headers },
    });
    if (answer.status !== 202) throw new Error(`${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as Awaited<ReturnType<Served["submit"]>>;
  };
  const own = { bench, coordinator, app, listening, url: listening.url, secret, authorized };
  return {
    ...own,
    impatient,
    repository: repository.user.top,
    ask,
    submit,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

function headersOf({ headers }: RequestInit): Record<string, string> {
  return Object.fromEntries(new Headers(headers).entries());
}

/** `write` changes a file; `wait` is busy with a check until it is cancelled; `many-N` has N tasks. */
function jobNamed(name: string, spec: JobSpec): JobSpec {
  const count = Number(/^many-(\d+)$/.exec(name)?.[1] ?? 1);
  const tasks = Array.from({ length: count }, (_, index) => writingTask(`t${index}`));
  // Each job of a name does its work itself.
  const fresh = true;
  if (name !== "wait") return { ...spec, name, fresh, tasks };
  const check = { kind: "command", name: "sleep", at: "tree", run: "sleep 60", expect: "pass" } as const;
  return { ...spec, name, fresh, tasks, checks: [{ ...check, timeout_ms: 60_000, parse: "exit", retries: 0 }] };
}

/** A log that keeps its lines. */
export function keepingLog(lines: { level: string; message: string; [field: string]: unknown }[]): Log {
  const line =
    (level: string) =>
    (message: string, fields: object = {}) =>
      void lines.push({ ...fields, level, message });
  const log: Log = {
    debug: line("debug"),
    info: line("info"),
    warn: line("warn"),
    error: line("error"),
    with: () => log,
  };
  return log;
}
