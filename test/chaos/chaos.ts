import { parseArgs } from "node:util";
import { databaseTrouble } from "./database-trouble.ts";
import { drain } from "./drain.ts";
import { fanOut } from "./fan-out.ts";
import { parked } from "./parked.ts";
import { poison } from "./poison.ts";
import type { Scenario, Setting } from "./scenario.ts";
import { spread } from "./spread.ts";
import type { DatabaseKind } from "./stage.ts";
import { timers } from "./timers.ts";
import { twoNodes } from "./two-nodes.ts";
import { unplugged } from "./unplugged.ts";
import { upgrade } from "./upgrade.ts";

/**
 * `npm run chaos [-- SCENARIO... --database embedded|postgres --points N --tasks N --seed S --point N --verbose]`: real
 * processes, killed at instants of chance; what is left is held against what docs/durability.md promises. One that fails
 * is named by its seed and number, and can be run again by them. Ends with 1 where anything is not as promised.
 */
/** Findings of one point that are printed. */
const mostTold = 12;
const scenarios: readonly Scenario[] = [
  fanOut,
  databaseTrouble,
  twoNodes,
  unplugged,
  spread,
  drain,
  upgrade,
  timers,
  parked,
  poison,
];

// What it has started and made goes with it.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));

const { values, positionals } = parseArgs({
  options: {
    database: { type: "string" },
    points: { type: "string" },
    point: { type: "string" },
    tasks: { type: "string", default: "100" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    verbose: { type: "boolean", default: false },
  },
  allowPositionals: true,
});
const wanted = scenarios.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const unknown = positionals.filter((name) => !scenarios.some((each) => each.name === name));
if (unknown.length > 0 || !["embedded", "postgres", undefined].includes(values.database)) {
  console.error(`there are: ${scenarios.map(({ name, about }) => `\n  ${name}: ${about}`).join("")}`);
  console.error("and --database is embedded or postgres; without it, both");
  process.exitCode = 1;
} else {
  for (const scenario of wanted) {
    for (const database of scenario.databases) {
      if (values.database === undefined || values.database === database) await carryOut(scenario, database);
    }
  }
}

async function carryOut(scenario: Scenario, database: DatabaseKind): Promise<void> {
  const missing = scenario.missing?.();
  if (missing !== undefined) return console.log(`${scenario.name}, ${database}: NOT RUN: ${missing}`);
  return runAll(scenario, { database, seed: values.seed, tasks: Number(values.tasks) });
}

async function runAll(scenario: Scenario, setting: Setting): Promise<void> {
  await using trials = await scenario.open(setting);
  const place = `${scenario.name}, ${setting.database}`;
  console.log(`${place}: ${trials.undisturbed}; seed ${setting.seed}`);
  const isTold = values.verbose || values.point !== undefined;
  const numbers = values.point === undefined ? upTo(Number(values.points ?? scenario.trials)) : [Number(values.point)];
  let failed = 0;
  for (const number of numbers) {
    const { told, findings } = await trials.run(number);
    if (findings.length > 0) failed += 1;
    if (isTold || findings.length > 0) console.log(`point ${number} of seed ${setting.seed}: ${told.join("; ")}`);
    for (const finding of findings.slice(0, mostTold)) console.log(`  ${finding}`);
  }
  console.log(`${place}: ${numbers.length} points, ${failed} not as promised`);
  if (failed > 0) process.exitCode = 1;
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
