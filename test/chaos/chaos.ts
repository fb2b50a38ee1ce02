import { parseArgs } from "node:util";
import { runPoint, runUndisturbed } from "./fan-out.ts";
import { type DatabaseKind, openStage } from "./stage.ts";

/**
 * `npm run chaos [-- --database embedded|postgres --points N --tasks N --seed S --point N --verbose]`: kills real processes at
 * instants of chance and holds what is left against what docs/durability.md promises. One that fails is named by its seed
 * and number, and can be run again by them. Ends with 1 where anything is not as promised.
 */
const { values } = parseArgs({
  options: {
    database: { type: "string" },
    points: { type: "string", default: "200" },
    point: { type: "string" },
    verbose: { type: "boolean", default: false },
    tasks: { type: "string", default: "100" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});
const kinds: readonly DatabaseKind[] = ["embedded", "postgres"];
const asked = kinds.filter((kind) => values.database === undefined || values.database === kind);
if (asked.length === 0) throw new Error(`--database ${values.database}: it is embedded or postgres`);
for (const database of asked) await fanOut(database);

async function fanOut(database: DatabaseKind): Promise<void> {
  const { seed } = values;
  await using stage = await openStage({ tasks: Number(values.tasks), database });
  const undisturbed = await runUndisturbed(stage, seed);
  const { ms, facts } = undisturbed;
  console.log(`${database}: ${stage.tasks} tasks take ${(ms / 1_000).toFixed(1)} s and ${facts} facts; seed ${seed}`);
  const numbers = values.point === undefined ? upTo(Number(values.points)) : [Number(values.point)];
  const isTold = values.verbose || values.point !== undefined;
  let [failed, kills] = [0, 0];
  for (const number of numbers) {
    const point = await runPoint(stage, undisturbed, { seed, number });
    kills += point.kills;
    if (point.findings.length === 0 && !isTold) continue;
    if (point.findings.length > 0) failed += 1;
    console.log(`point ${number} of seed ${seed}, ${database}: ${point.told.join("; ")}`);
    for (const finding of point.findings.slice(0, 12)) console.log(`  ${finding}`);
  }
  console.log(`${database}: ${numbers.length} points, ${kills} kills, ${failed} not as promised`);
  if (failed > 0) process.exitCode = 1;
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
