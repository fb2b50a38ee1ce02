import { systemClock as clock } from "../../src/clock.ts";
import { openDatabase } from "../../src/db/open.ts";
import { openQueue } from "../../src/queue/open-queue.ts";
import { migrations, template } from "../support/database.ts";

/** A node of its own, for tests that kill or freeze one: says on stdout what it takes and loses, and holds all of it. */
const [url = "", leaseMs = ""] = process.argv.slice(2);
const database = await openDatabase({ url, folder: "/nonexistent", template, migrations });
const limits = { perNode: 100 };
const queue = await openQueue({
  ...{ name: "runs", database, clock, node: `process-${process.pid}`, limits, isEmbedded: false },
  leaseMs: Number(leaseMs),
});
queue.pump({
  take: (wake) => console.log("taken", wake.runId),
  // The lease, as this process finds it at that moment.
  lost: (wake) => console.log("lost", wake.runId),
  poison: async () => {},
});
process.on("SIGUSR2", () => console.log("lease", queue.leaseUntil() > clock.now() ? "holds" : "over"));
console.log("ready");
