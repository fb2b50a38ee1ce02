import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { agentRate } from "./agent-rate.ts";
import { agentStreams } from "./agent-streams.ts";
import { agents } from "./agents.ts";
import { append } from "./append.ts";
import { coldStart } from "./cold-start.ts";
import { decision } from "./decision.ts";
import { dispatch } from "./dispatch.ts";
import { eventReaders } from "./event-readers.ts";
import type { Figure, Reading } from "./figure.ts";
import { fold } from "./fold.ts";
import { httpRead } from "./http-read.ts";
import { idleMemory } from "./idle-memory.ts";
import { jobOverHttp } from "./job-over-http.ts";
import { nodes } from "./nodes.ts";
import { printFailure, printFigure, printMachine, printReading, printSummary } from "./print.ts";
import { queue } from "./queue.ts";
import { recipeThreads } from "./recipe-threads.ts";
import { resume } from "./resume.ts";
import { runCpu } from "./run-cpu.ts";
import { sandbox } from "./sandbox.ts";
import { threadStart } from "./thread-start.ts";
import { tracingTax } from "./tracing-tax.ts";
import { workspace } from "./workspace.ts";

/**
 * `npm run bench [-- NAME...] [-- --list | --quick]`: every figure as a ratio to a named baseline of the same run, or
 * as what one side costs more. A missed goal is said and is no failure; a figure that cannot be measured is one.
 */
const figures: readonly Figure[] = [
  workspace,
  fold,
  recipeThreads,
  runCpu,
  coldStart,
  append,
  queue,
  dispatch,
  decision,
  tracingTax,
  threadStart,
  httpRead,
  eventReaders,
  jobOverHttp,
  idleMemory,
  sandbox,
  agents,
  agentStreams,
  agentRate,
  nodes,
  resume,
];

const { values, positionals } = parseArgs({
  options: { list: { type: "boolean" }, quick: { type: "boolean" } },
  allowPositionals: true,
});

const unknown = positionals.filter((name) => !figures.some((figure) => figure.name === name));
if (unknown.length > 0) {
  console.error(`no figure is called ${unknown.join(", ")}; there are: ${figures.map(({ name }) => name).join(", ")}`);
  process.exitCode = 1;
} else if (values.list) {
  for (const { name, title } of figures) console.log(`${name.padEnd(16)}${title}`);
} else {
  await run(figures.filter(({ name }) => positionals.length === 0 || positionals.includes(name)));
}

async function run(chosen: readonly Figure[]): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "sheaf-bench-"));
  process.on("exit", () => rmSync(root, { recursive: true, force: true }));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));
  printMachine();
  const readings: Reading[] = [];
  const unmeasured: string[] = [];
  for (const figure of chosen) {
    printFigure(figure);
    try {
      readings.push(...(await measure(figure, join(root, figure.name))));
    } catch (thrown) {
      printFailure(figure, thrown);
      unmeasured.push(figure.name);
    }
  }
  printSummary(readings, unmeasured);
  process.exitCode = unmeasured.length > 0 ? 1 : 0;
}

async function measure(figure: Figure, directory: string): Promise<Reading[]> {
  mkdirSync(directory);
  try {
    const readings = await figure.measure({ directory, isQuick: values.quick ?? false });
    for (const reading of readings) printReading(reading);
    return readings;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
