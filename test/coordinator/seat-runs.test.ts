import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import { mostTogether, openSeats, type Seat } from "../../src/coordinator/threads/seat-runs.ts";

const workers: Worker[] = [];
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
});

async function thread(code: string): Promise<Worker> {
  const ready = 'require("node:worker_threads").parentPort.on("message", () => {}).postMessage("here");';
  const worker = new Worker(`${ready}${code}`, { eval: true });
  workers.push(worker);
  await once(worker, "message");
  return worker;
}

async function worked(worker: Worker, ms: number): Promise<void> {
  const active = () => worker.performance.eventLoopUtilization().active;
  const end = active() + ms;
  while (active() < end) await setImmediate();
}

function seat(id: number, currentUsage: number): Seat {
  return { id, currentUsage };
}

describe("runs that wait for a model", () => {
  it("share the first thread, and the next one once that is busy", async () => {
    const [busy, idle] = [await thread("for (;;);"), await thread("")];
    let now = 0;
    const seats = openSeats({ threads: () => [busy, idle], most: 2, now: () => now });
    const all = [seat(busy.threadId, 3), seat(idle.threadId, 0)];
    expect(seats.waiting(all)).toBe(all[0]);
    await worked(busy, 50);
    now = 500;
    expect(seats.waiting(all)).toBe(all[0]);
    now = 1_000;
    expect(seats.waiting(all)).toBe(all[1]);
  });

  it("go where the fewest are when all are busy, and fill no thread beyond what its heap holds", async () => {
    const [one, other] = [await thread("for (;;);"), await thread("for (;;);")];
    let now = 0;
    const seats = openSeats({ threads: () => [one, other], most: 2, now: () => now });
    const full = [seat(one.threadId, mostTogether), seat(other.threadId, 7)];
    expect(seats.waiting(full)).toBe(full[1]);
    await Promise.all([worked(one, 50), worked(other, 50)]);
    now = 1_000;
    const all = [seat(one.threadId, 9), seat(other.threadId, 8)];
    expect(seats.waiting(all)).toBe(all[1]);
    expect(seats.waiting([])).toBeUndefined();
  });
});

describe("runs that work", () => {
  it("get a thread that has none, and ask for another one as long as there may be more", () => {
    const seats = (most: number) => openSeats({ threads: () => [], most, now: () => 0 });
    const all = [seat(1, 2), seat(2, 0)];
    expect(seats(2).working(all)).toBe(all[1]);
    expect(seats(2).working([seat(1, 1)])).toBeUndefined();
    const full = [seat(1, 2), seat(2, 1)];
    expect(seats(2).working(full)).toBe(full[1]);
    expect(seats(2).working([])).toBeUndefined();
  });
});
