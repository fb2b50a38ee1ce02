import type { EventLoopUtilization } from "node:perf_hooks";
import type { Worker } from "node:worker_threads";

/**
 * Which thread a run is given to. Agents that wait for a model share a thread until it is busy, because every further
 * one compiles and optimises the same code once more; work of the CPU goes to a thread that has none. It moves no run
 * that has begun.
 */
export interface Seats {
  /** The place of a run that mostly waits; undefined where there is no thread. */
  waiting<T extends Seat>(seats: readonly T[]): T | undefined;
  /** The place of one that works; undefined where another thread should be started for it first. */
  working<T extends Seat>(seats: readonly T[]): T | undefined;
}

/** A thread, as a pool tells of it. */
export interface Seat {
  readonly id: number;
  /** Runs in it. */
  readonly currentUsage: number;
}

/** Conversations of so many runs stay far within the heap of a thread. */
export const mostTogether = 512;
/** Of its time: from there on others are given to the next thread. */
const busyShare = 0.85;
/** Milliseconds that are looked at: the start of a thread, which is all work, does not make it a busy one. */
const lookedAtMs = 1_000;

export function openSeats(options: { threads: () => readonly Worker[]; most: number; now: () => number }): Seats {
  const shareOf = shares(options);
  const hasRoom = ({ id, currentUsage }: Seat) => shareOf(id) < busyShare && currentUsage < mostTogether;
  return {
    waiting: (seats) => seats.find(hasRoom) ?? leastUsed(seats),
    working(seats) {
      const seat = leastUsed(seats);
      return seat && (seat.currentUsage === 0 || seats.length >= options.most) ? seat : undefined;
    },
  };
}

function leastUsed<T extends Seat>(seats: readonly T[]): T | undefined {
  return seats.reduce<T | undefined>(
    (least, seat) => (least && least.currentUsage <= seat.currentUsage ? least : seat),
    undefined,
  );
}

interface Looked {
  atMs: number;
  load: EventLoopUtilization;
  share: number;
}

/** How much of its time each thread worked when it was last looked at; nobody looks while nothing is asked. */
function shares({ threads, now }: { threads: () => readonly Worker[]; now: () => number }): (id: number) => number {
  const looked = new Map<number, Looked>();
  return (id) => {
    const before = looked.get(id);
    if (before && now() - before.atMs < lookedAtMs) return before.share;
    const thread = threads().find(({ threadId }) => threadId === id);
    if (!thread) return 0;
    const load = thread.performance.eventLoopUtilization();
    const share = before ? thread.performance.eventLoopUtilization(load, before.load).utilization : 0;
    looked.set(id, { atMs: now(), load, share });
    return share;
  };
}
