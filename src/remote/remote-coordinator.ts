import { z } from "zod";
import type { Coordinator, JobOrder, PlacedEvent, SubmittedJob } from "../coordinator/coordinator.ts";
import { collectionReport } from "../protocol/collection.ts";
import type { Event } from "../protocol/event.ts";
import { explanation } from "../protocol/explanation.ts";
import { Fault } from "../protocol/failure.ts";
import type { JobId } from "../protocol/ids.ts";
import { type JobView, jobView, runView, taskView } from "../protocol/job-view.ts";
import { type Result, result } from "../protocol/result.ts";
import { storedSpan } from "../protocol/span.ts";
import { steered } from "../protocol/steer.ts";
import { remoteApprovals } from "./approvals.ts";
import type { Connection } from "./connection.ts";
import { follow } from "./follow.ts";

/** A coordinator in another process: every question goes there, nothing is kept here. */
export function remoteCoordinator(connection: Connection): Coordinator {
  return {
    submit: (order) => submit(order, connection),
    async jobs({ limit, after }) {
      const query = new URLSearchParams({
        limit: String(Math.min(limit, mostOfPage)),
        ...(after ? { cursor: after } : {}),
      });
      const page = await connection.json({ path: `/v1/jobs?${query}` }, jobPage);
      return { jobs: page.data, ...(page.next_cursor === null ? {} : { next: page.next_cursor }) };
    },
    job: (reference) => unlessUnknown(connection.json({ path: `/v1/jobs/${encodeURIComponent(reference)}` }, jobView)),
    async cancel(id) {
      await connection.json({ method: "POST", path: `/v1/jobs/${id}/cancel` }, jobView);
    },
    async pause(id) {
      await connection.json({ method: "POST", path: `/v1/jobs/${id}/pause` }, jobView);
    },
    async resume(id) {
      await connection.json({ method: "POST", path: `/v1/jobs/${id}/resume` }, jobView);
    },
    steer: (id, body) => connection.json({ method: "POST", path: `/v1/jobs/${id}/steer`, body }, steered),
    async retry(id, body, more = {}) {
      const job = await connection.json({ method: "POST", path: `/v1/jobs/${id}/retry`, body }, jobView);
      return followed(job, more, connection);
    },
    tasks: async (id) => (await connection.json({ path: `/v1/jobs/${id}/tasks` }, taskPage)).data,
    events: (id, { after, isFollowed, signal }) =>
      isFollowed ? follow(connection, id, { after, signal }) : stored(connection, id, { after, signal }),
    run: (id) => unlessUnknown(connection.json({ path: `/v1/runs/${encodeURIComponent(id)}` }, runView)),
    runEvents: async (id, after) =>
      (await connection.json({ path: `/v1/runs/${id}/events?after=${after}` }, eventPage)).data as unknown as Event[],
    trace: async (id) => (await connection.json({ path: `/v1/jobs/${id}/trace` }, trace)).spans,
    patch: (id, { task }) =>
      connection.bytes({
        path: `/v1/jobs/${id}/patch${task === undefined ? "" : `?${new URLSearchParams({ task })}`}`,
      }),
    async explain(id, { call, task, agent }) {
      const asked = { call, ...(task === undefined ? {} : { task }), ...(agent === undefined ? {} : { agent }) };
      const path = `/v1/jobs/${id}/explain?${new URLSearchParams(asked)}`;
      return (await connection.json({ path }, explanations)).data;
    },
    bundle: (id) => connection.bytes({ path: `/v1/jobs/${id}/bundle` }),
    collect: (body) => connection.json({ method: "POST", path: "/v1/gc", body }, collectionReport),
    ...remoteApprovals(connection),
  };
}

const mostOfPage = 200;
const jobPage = z.object({ data: z.array(jobView), next_cursor: z.string().nullable() });
const taskPage = z.object({ data: z.array(taskView) });
const explanations = z.object({ data: z.array(explanation) });
const eventPage = z.object({ data: z.array(z.looseObject({ type: z.string() })) });
const trace = z.object({ spans: z.array(storedSpan) });

async function unlessUnknown<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (thrown) {
    if (thrown instanceof Fault && (thrown.code === "unknown_job" || thrown.code === "usage")) return undefined;
    throw thrown;
  }
}

async function submit(order: JobOrder, connection: Connection): Promise<SubmittedJob> {
  try {
    if (!order.request) throw new Fault("internal", "this job cannot travel to another process");
    const request = await order.request((file, sha256) => putBundle(connection, file, sha256));
    const headers = {
      // A request whose answer is lost is sent again by whoever asked, and is still one job.
      "idempotency-key": order.idempotency?.key ?? crypto.randomUUID(),
      ...(order.traceparent ? { traceparent: order.traceparent } : {}),
    };
    const job = await connection.json({ method: "POST", path: "/v1/jobs", body: request, headers }, jobView);
    return followed(job, order, connection);
  } finally {
    await order.repository.close();
  }
}

function followed({ id, handle }: JobView, order: Pick<JobOrder, "onFact">, connection: Connection): SubmittedJob {
  let watching: Promise<Result> | undefined;
  return {
    id,
    handle,
    isNew: true,
    // Followed only for whoever waits for it.
    get done() {
      watching ??= watch(id, order, connection);
      return watching;
    },
  };
}

async function putBundle(connection: Connection, file: string, sha256: string): Promise<void> {
  await connection.bytes({ method: "PUT", path: `/v1/bundles/${sha256}`, file });
}

async function watch(id: JobId, { onFact }: Pick<JobOrder, "onFact">, connection: Connection): Promise<Result> {
  for await (const batch of follow(connection, id, { after: 0 })) {
    for (const { event } of batch) {
      const { run_id, seq: _, id: __, at: ___, span_id: ____, ...fact } = event;
      onFact?.(run_id, fact);
      if (event.type === "job.finished") return result.parse(event.data.result);
    }
  }
  throw new Fault("provider_unavailable", `${connection.name} ended the events of a job that has not finished`);
}

/** What is there now, without waiting for more: up to where the job stands at this moment. */
async function* stored(
  connection: Connection,
  id: JobId,
  { after, signal }: { after: number; signal?: AbortSignal | undefined },
): AsyncGenerator<PlacedEvent[]> {
  const stop = new AbortController();
  const until = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  const { events: newest } = await connection.json({ path: `/v1/jobs/${id}` }, jobView);
  if (newest <= after) return;
  for await (const batch of follow(connection, id, { after, signal: until })) {
    yield batch.filter(({ pos }) => pos <= newest);
    if ((batch.at(-1)?.pos ?? 0) >= newest) break;
  }
  stop.abort();
}
