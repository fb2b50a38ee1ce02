import { execFileSync } from "node:child_process";
import { availableParallelism, loadavg } from "node:os";
import { type Figure, isMet, type Reading } from "./figure.ts";
import { short } from "./pairs.ts";

/** What was measured on, since a ratio on a busy machine is worth less. */
export function printMachine(): void {
  const git = execFileSync("git", ["--version"], { encoding: "utf8" }).trim();
  const load = loadavg()[0] ?? 0;
  const cores = availableParallelism();
  console.log(`${cores} cores, ${process.platform}, Node ${process.versions.node}, ${git}; load ${load.toFixed(1)}`);
  if (load > cores / 2) console.log("The machine is busy: expect the ratios to be off.");
}

export function printFigure(figure: Figure): void {
  console.log(`\n${figure.name}: ${figure.title}`);
}

export function printReading(reading: Reading): void {
  const { goal, unit } = reading;
  const verdict = goal
    ? `goal ${goal.is} ${amount(goal.limit, unit)}, ${isMet(reading) ? "met" : "MISSED"}`
    : "no goal";
  console.log(`  ${amount(reading.value, unit).padEnd(8)} ${reading.what}: ${verdict}`);
  console.log(`           ${reading.statistic}; ${reading.absolute}`);
}

export function printFailure(figure: Figure, thrown: unknown): void {
  const said = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  console.log(`  NOT MEASURED ${figure.name}: ${said.split("\n").slice(0, 12).join("\n    ")}`);
}

export function printSummary(readings: readonly Reading[], unmeasured: readonly string[]): void {
  const judged = readings.filter((reading) => reading.goal);
  const missed = judged.filter((reading) => !isMet(reading));
  console.log(
    `\n${judged.length - missed.length} goals met, ${missed.length} missed, ${unmeasured.length} not measured`,
  );
  for (const reading of missed) console.log(`  MISSED ${reading.what}: ${amount(reading.value, reading.unit)}`);
  for (const name of unmeasured) console.log(`  NOT MEASURED ${name}`);
}

function amount(value: number, unit: Reading["unit"]): string {
  return unit === "x" ? `${short(value)}x` : `${short(value)} ${unit}`;
}
