import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { JobOrder, SubmittedJob } from "../../src/coordinator/coordinator.ts";
import { takeRequest } from "../../src/coordinator/take-request.ts";
import type { JobRequest } from "../../src/protocol/job-request.ts";
import { connect } from "../../src/remote/connection.ts";
import { remoteCoordinator } from "../../src/remote/remote-coordinator.ts";
import { openTestDatabase } from "../support/database.ts";
import { openTestBench, plantRepository } from "../support/equipment.ts";
import type { Figure } from "./figure.ts";
import { ratioOfMinima, short, takePairs } from "./pairs.ts";
import { serveBench } from "./serve-bench.ts";

/**
 * The same job file on the same kind of repository, read and resolved by whoever does the work: sent as a request and
 * followed by its events / handed over by a call. Client and server are one process, so that both count.
 */
export const jobOverHttp: Figure = {
  name: "job-over-http",
  title: "a job over HTTP, followed to its end / the same job in process, CPU",
  async measure({ isQuick }) {
    await using bench = await openTestBench({ openDatabase: openTestDatabase });
    await using served = await serveBench(bench);
    const connection = connect(served);
    const there = remoteCoordinator(connection);
    const rules = { isTrusted: true, roots: [], isAllowedUrl: () => false };
    const here = async (request: JobRequest) =>
      bench.coordinator.submit(await takeRequest(request, rules, bench.equipment));
    const pairs = await takePairs(isQuick ? 2 : 8, {
      subject: () => cpuOf(bench.folder, (request) => there.submit(travelling(request))),
      baseline: () => cpuOf(bench.folder, here),
    });
    connection.close();
    const absolute = `${short(Math.min(...pairs.subject))} ms / ${short(Math.min(...pairs.baseline))} ms of CPU`;
    const goal = { is: "<=", limit: 1.1 } as const;
    return [{ what: "over HTTP / in process", unit: "x", ...ratioOfMinima(pairs), goal, absolute }];
  },
};

/** An order of which only the request is used. */
function travelling(request: JobRequest): JobOrder {
  const nothing = { close: async () => {} };
  return { request: async () => request, repository: nothing } as unknown as JobOrder;
}

const files = Object.fromEntries(
  Array.from({ length: 400 }, (_, file) => [
    `src/${file}.js`,
    Array.from({ length: 60 }, (_, line) => `const m${line} = require("fs"); // ${file}\n`).join(""),
  ]),
);

async function cpuOf(folder: string, submit: (request: JobRequest) => Promise<SubmittedJob>): Promise<number> {
  const path = join(folder, `repository-${randomBytes(4).toString("hex")}`);
  plantRepository(path, files);
  const job = { version: 1, name: "bench", each: [{ codemod: "node-protocol" }] };
  const before = process.cpuUsage();
  const { outcome } = await (await submit({ job, repository: { path } })).done;
  const { user, system } = process.cpuUsage(before);
  if (outcome !== "succeeded") throw new Error(`the job ended ${outcome}`);
  return (user + system) / 1_000;
}
