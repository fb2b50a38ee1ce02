import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { bigRepository, type JobCost, runBigJob } from "./big-job.ts";
import type { Figure, Reading } from "./figure.ts";
import { installProgram } from "./installed-program.ts";
import { median, medianOfRatios, type Pairs, pick, short, takePairs } from "./pairs.ts";

export const tracingTax: Figure = {
  name: "tracing-tax",
  title: "sheaf run of node-protocol over 10,000 real files: span store and export on / off",
  async measure({ directory, isQuick }) {
    const { repository } = await bigRepository(directory, isQuick);
    const { folder } = await installProgram(join(directory, "program"));
    const collector = await startCollector();
    const run = (tracing: "on" | "off") => {
      const words = [process.execPath, join(import.meta.dirname, "traced-program.ts"), folder, tracing];
      const env = tracing === "on" ? { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url } : {};
      return runBigJob(words, { home: join(directory, "home"), repository }, { env });
    };
    try {
      const pairs = await takePairs(isQuick ? 1 : 7, { subject: () => run("on"), baseline: () => run("off") });
      if ((await collector.bytesTaken()) === 0) throw new Error("nothing was exported while tracing was on");
      return [
        reading("tracing on / off, wall", pairs, { of: ({ wallMs }) => wallMs, limit: 1.02 }),
        reading("tracing on / off, CPU", pairs, { of: ({ cpuMs }) => cpuMs, limit: 1.15 }),
      ];
    } finally {
      collector.stop();
    }
  },
};

function reading(
  what: string,
  pairs: Pairs<JobCost>,
  { of, limit }: { of: (cost: JobCost) => number; limit: number },
): Reading {
  const measured = pick(pairs, of);
  const absolute = `${short(median(measured.subject) / 1_000)} s / ${short(median(measured.baseline) / 1_000)} s`;
  return { what, unit: "x", ...medianOfRatios(measured), goal: { is: "<=", limit }, absolute };
}

interface Collector {
  url: string;
  bytesTaken(): Promise<number>;
  stop(): void;
}

/** In a process of its own, so that what it costs is nobody's. */
async function startCollector(): Promise<Collector> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "collector.ts")], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const ask = async () => {
    const [answer] = await once(child, "message");
    return Number(answer);
  };
  const port = await ask();
  return {
    url: `http://127.0.0.1:${port}`,
    bytesTaken: () => {
      child.send("how many");
      return ask();
    },
    stop: () => void child.kill(),
  };
}
