import { connect } from "../../src/remote/connection.ts";
import { remoteCoordinator } from "../../src/remote/remote-coordinator.ts";
import { openTestBench, type TestBench } from "../support/equipment.ts";
import type { Figure } from "./figure.ts";
import { ratioOfMinima, short, takePairs } from "./pairs.ts";
import { serveBench } from "./serve-bench.ts";

/** The same job handed over by a request and followed by its events / handed over by a call; client and server together. */
export const jobOverHttp: Figure = {
  name: "job-over-http",
  title: "a job over HTTP, followed to its end / the same job in process, CPU",
  async measure({ isQuick }) {
    await using bench = await openTestBench();
    await using served = await serveBench(bench);
    const connection = connect(served);
    const there = remoteCoordinator(connection);
    const pairs = await takePairs(isQuick ? 2 : 8, {
      subject: () => cpuOf(bench, (order) => there.submit(order)),
      baseline: () => cpuOf(bench, (order) => bench.coordinator.submit(order)),
    });
    connection.close();
    const absolute = `${short(Math.min(...pairs.subject))} ms / ${short(Math.min(...pairs.baseline))} ms of CPU`;
    const goal = { is: "<=", limit: 1.1 } as const;
    return [{ what: "over HTTP / in process", unit: "x", ...ratioOfMinima(pairs), goal, absolute }];
  },
};

const files = Object.fromEntries(
  Array.from({ length: 400 }, (_, file) => [
    `src/${file}.js`,
    Array.from({ length: 60 }, (_, line) => `const m${line} = require("fs"); // ${file}\n`).join(""),
  ]),
);
const job = { version: 1, name: "bench", each: [{ codemod: "node-protocol" }] };

async function cpuOf(
  { repository: plant }: TestBench,
  submit: (order: Parameters<TestBench["coordinator"]["submit"]>[0]) => ReturnType<TestBench["coordinator"]["submit"]>,
): Promise<number> {
  const { repository, spec } = await plant(files);
  const recipe = { name: "node-protocol" as const };
  const agent = { name: "node-protocol", instructions: "", model: { provider: "recipe" as const, recipe } };
  const each = [{ kind: "agent" as const, agent, prompt: "" }];
  const before = process.cpuUsage();
  const path = repository.user.top;
  const request = async () => ({ job, repository: { path } });
  const submitted = await submit({ spec: { ...spec, split: { by: "files" }, each }, repository, request });
  const { outcome } = await submitted.done;
  const { user, system } = process.cpuUsage(before);
  if (outcome !== "succeeded") throw new Error(`the job ended ${outcome}`);
  return (user + system) / 1_000;
}
