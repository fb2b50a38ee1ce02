import { openDatabase } from "../../src/db/open.ts";
import { createWriter } from "../../src/db/writer.ts";
import { toFailure } from "../../src/protocol/failure.ts";
import { migrations, template, tickingClock } from "./database.ts";
import { claimedRuns, note } from "./job.ts";

// node fill-disk.ts FOLDER: appends until three appends in a row were refused; prints the run, then each answer.
const clock = tickingClock();
try {
  const database = await openDatabase({ folder: process.argv[2] ?? "", template, migrations });
  const { root } = await claimedRuns(0, clock, database);
  const writer = createWriter(clock, database);
  console.log(root.runId);
  for (let refusals = 0; refusals < 3; ) {
    // Incompressible, so that it takes its room.
    const text = Buffer.from(clock.random(40_000)).toString("base64");
    const answer = await writer.append(root, [note(text)]).then(({ firstSeq }) => firstSeq, toFailure);
    refusals = typeof answer === "number" ? 0 : refusals + 1;
    console.log(typeof answer === "number" ? answer : answer.code);
  }
} catch (thrown) {
  console.log(toFailure(thrown).code);
}
process.exit();
