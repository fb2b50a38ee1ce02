import { z } from "zod";
import type { Session } from "../cli/session.ts";
import type { SubmittedJob } from "../coordinator/coordinator.ts";
import { type AuditPage, auditedCall } from "../protocol/audited-call.ts";
import { Fault } from "../protocol/failure.ts";
import type { JobId } from "../protocol/ids.ts";
import type { Result } from "../protocol/result.ts";
import { type Connection, connect } from "../remote/connection.ts";
import { remoteCoordinator } from "../remote/remote-coordinator.ts";

/** Another process does the work: this one asks it, over the socket in the data folder or over the network. */

/**
 * undefined when nobody answers: the holder has gone, or is going. When it goes later, with a job that was given to it,
 * `reopen` is how whoever waits for that job looks at what became of it.
 */
export async function joinSocket(socket: string, reopen: () => Promise<Session>): Promise<Session | undefined> {
  const connection = connect({ socket });
  try {
    await connection.json({ path: "/healthz", signal: AbortSignal.timeout(answerMs) }, z.unknown());
    return outliving(sessionOver(connection, "socket"), reopen);
  } catch (thrown) {
    connection.close();
    // One that was suspended takes the connection and never answers.
    const isSilent = thrown instanceof DOMException && thrown.name === "TimeoutError";
    if (isSilent || (thrown instanceof Fault && thrown.code === "provider_unavailable")) return undefined;
    throw thrown;
  }
}

const answerMs = 10_000;

export function joinServer(server: { url: string; token: string | undefined }): Session {
  return sessionOver(connect(server), "server");
}

function outliving(session: Session, reopen: () => Promise<Session>): Session {
  const { coordinator } = session;
  return {
    ...session,
    coordinator: {
      ...coordinator,
      submit: async (order) => watched(await coordinator.submit(order).catch(failAsLeaving), reopen),
      retry: async (...asked) => watched(await coordinator.retry(...asked).catch(failAsLeaving), reopen),
    },
  };
}

function watched(job: SubmittedJob, reopen: () => Promise<Session>): SubmittedJob {
  let outliving: Promise<Result> | undefined;
  return {
    id: job.id,
    handle: job.handle,
    isNew: job.isNew,
    get done() {
      outliving ??= job.done.catch((thrown: unknown) => leftBehind(job.id, thrown, reopen));
      return outliving;
    },
  };
}

function failAsLeaving(thrown: unknown): never {
  throw asLeaving(thrown);
}

function asLeaving(thrown: unknown): unknown {
  if (!(thrown instanceof Fault) || thrown.code !== "provider_unavailable") return thrown;
  return new Fault("locked", "the Sheaf that holds the data folder is just leaving, and took no more jobs", {
    remedy: "run it again",
    cause: thrown,
  });
}

/** Whoever opens the data folder next goes on with the jobs that its last holder left behind, and may be left in turn. */
async function leftBehind(id: JobId, thrown: unknown, reopen: () => Promise<Session>): Promise<Result> {
  if (!(thrown instanceof Fault) || thrown.code !== "provider_unavailable") throw thrown;
  await using session = await reopen();
  const result = await endOf(id, session).catch((again: unknown) => leftBehind(id, again, reopen));
  if (result) return result;
  throw thrown;
}

/** Undefined where nobody goes on with it. */
async function endOf(id: JobId, { coordinator }: Session): Promise<Result | undefined> {
  const job = await coordinator.job(id);
  if (job?.state === "running" && job.at_rest === undefined) {
    for await (const _ of coordinator.events(id, { after: job.events, isFollowed: true }));
  }
  return (await coordinator.job(id))?.result;
}

function sessionOver(connection: Connection, reach: "socket" | "server"): Session {
  return {
    coordinator: remoteCoordinator(connection),
    audit: (page) => auditOf(page, connection),
    reach,
    async [Symbol.asyncDispose]() {
      connection.close();
    },
  };
}

async function auditOf(
  { limit, after }: { limit: number; after?: string | undefined },
  connection: Connection,
): Promise<AuditPage> {
  const query = new URLSearchParams({ limit: String(limit), ...(after === undefined ? {} : { cursor: after }) });
  const page = await connection.json({ path: `/v1/audit?${query}` }, auditPage);
  return { calls: page.data, ...(page.next_cursor === null ? {} : { next: page.next_cursor }) };
}

const auditPage = z.object({ data: z.array(auditedCall), next_cursor: z.string().nullable() });
