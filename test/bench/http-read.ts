import { setTimeout as wait } from "node:timers/promises";
import { serve } from "@hono/node-server";
import autocannon from "autocannon";
import { eq } from "drizzle-orm";
import { Hono } from "hono";
import { jobs } from "../../src/db/schema.ts";
import { openTestDatabase } from "../support/database.ts";
import { openTestBench, writingTask } from "../support/equipment.ts";
import type { Figure } from "./figure.ts";
import { ratioOfMaxima, short, takePairs } from "./pairs.ts";
import { serveBench } from "./serve-bench.ts";

/** What authentication, checks, tracing and the shape of an answer cost a read. */
export const httpRead: Figure = {
  name: "http-read",
  title: "GET /v1/jobs/{id} / a bare Hono route that reads the same row, requests a second",
  async measure({ isQuick }) {
    await using bench = await openTestBench({ openDatabase: openTestDatabase });
    const { repository, spec } = await bench.repository({ "README.md": "base\n" });
    const { id, done } = await bench.coordinator.submit({ spec: { ...spec, tasks: [writingTask("one")] }, repository });
    await done;
    await using ours = await serveBench(bench);
    const { orm } = bench.equipment.database;
    const bare = new Hono().get("/row/:id", async (c) => {
      const [row] = await orm
        .select()
        .from(jobs)
        .where(eq(jobs.runId, c.req.param("id")));
      return c.json(row);
    });
    const server = serve({ fetch: bare.fetch, port: 0, hostname: "127.0.0.1" });
    await wait(100);
    const address = server.address();
    const port = address !== null && typeof address === "object" ? address.port : 0;
    const headers = { authorization: `Bearer ${ours.token}` };
    const seconds = isQuick ? 1 : 4;
    const pairs = await takePairs(isQuick ? 2 : 6, {
      subject: () => rate(`${ours.url}/v1/jobs/${id}`, seconds, headers),
      baseline: () => rate(`http://127.0.0.1:${port}/row/${id}`, seconds),
    });
    server.close();
    const absolute = `${short(Math.max(...pairs.subject))} / ${short(Math.max(...pairs.baseline))} a second`;
    const goal = { is: ">=", limit: 0.7 } as const;
    return [{ what: "our route / a bare one", unit: "x", ...ratioOfMaxima(pairs), goal, absolute }];
  },
};

async function rate(url: string, duration: number, headers: Record<string, string> = {}): Promise<number> {
  const { requests, non2xx, errors } = await autocannon({ url, duration, connections: 10, workers: 1, headers });
  if (non2xx + errors > 0) throw new Error(`${non2xx + errors} requests to ${url} were not answered well`);
  return requests.average;
}
