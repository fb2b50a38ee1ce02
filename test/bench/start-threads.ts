import { once } from "node:events";
import { Worker } from "node:worker_threads";

// node start-threads.ts ENTRY: starts threads with that entry, one after another, and prints what each of them cost
// this process, as JSON. An entry posts one message when it is ready.
const threads = 4;
const [entry = ""] = process.argv.slice(2);

// The first thread of a process pays for what the others then share.
await ready(entry);
const cpu = process.cpuUsage();
const before = process.memoryUsage.rss();
for (let thread = 0; thread < threads; thread++) await ready(entry);
const { user, system } = process.cpuUsage(cpu);
const megabytes = (process.memoryUsage.rss() - before) / 2 ** 20 / threads;
process.stdout.write(JSON.stringify({ cpuMs: (user + system) / 1_000 / threads, megabytes }));
process.exit(0);

async function ready(file: string): Promise<void> {
  await once(new Worker(file), "message");
}
