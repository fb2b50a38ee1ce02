import { rm, statfs } from "node:fs/promises";
import { Fault, toFailure } from "../protocol/failure.ts";
import type { Standstill } from "../protocol/standstill.ts";
import type { Equipment } from "./equipment.ts";
import { standstillOf } from "./patience.ts";

/**
 * Room on the disk of the data folder. Work stops before there is none: the embedded database does not outlive a log that
 * it cannot write. What a full disk cut off is done once more; nothing half written is taken for a result.
 */
export interface Room {
  /** Waits while the disk is as good as full. Throws Fault `storage_full` when that takes too long. */
  pass(): Promise<void>;
  /** For new work, which does not wait. Throws Fault `storage_full`. */
  admit(): Promise<void>;
}

/** Less than this counts as full: a few segments of the database's log, and what is under way. */
const leastBytes = 24 * 2 ** 20;
/** A look takes microseconds. What fills a disk faster than that is met where it is written. */
const lookMs = 50;

export function watchRoom(folder: string, { room, now }: { room: Standstill; now(): number }): Room {
  let lookedAt = Number.NEGATIVE_INFINITY;
  let full: Fault | undefined;
  const look = async () => {
    if (now() - lookedAt < lookMs) return;
    // A folder that is not there yet fills nothing.
    const free = await statfs(folder).then(
      ({ bavail, bsize }) => bavail * bsize,
      () => leastBytes,
    );
    lookedAt = now();
    full = free < leastBytes ? fullDisk(folder, free) : undefined;
  };
  return {
    async pass() {
      await look();
      while (full) {
        if (!(await room.wait(toFailure(full)))) throw full;
        await look();
        if (!full) room.over();
      }
    },
    async admit() {
      await look();
      if (full) throw full;
    },
  };
}

/** The code of what keeps this process from working now; it looks at the disk. */
export async function troubleOf(equipment: Pick<Equipment, "database" | "room">): Promise<string | undefined> {
  const met = standstillOf(equipment);
  if (met) return met.code;
  return equipment.room?.admit().then(
    () => undefined,
    (thrown: unknown) => toFailure(thrown).code,
  );
}

function fullDisk(folder: string, bytes: number): Fault {
  return new Fault("storage_full", `the disk of ${folder} has ${Math.floor(bytes / 2 ** 20)} MB left`, {
    remedy: `free some space (sheaf gc); ${leastBytes / 2 ** 20} MB are needed at least`,
  });
}

/**
 * Does what writes to the disk, and does it again while the disk is full. So `work` may be repeated; `directory`, which it
 * makes, is removed before.
 */
export async function withRoom<T>(
  work: () => Promise<T>,
  { database: { standstills } }: Pick<Equipment, "database">,
  directory?: string,
): Promise<T> {
  let waited: Standstill | undefined;
  for (;;) {
    try {
      const made = await work();
      waited?.over();
      return made;
    } catch (thrown) {
      if (!isFull(thrown)) throw thrown;
      if (directory !== undefined) await rm(directory, { recursive: true, force: true });
      waited = standstills?.room;
      if (!(await waited?.wait(toFailure(thrown)))) throw thrown;
    }
  }
}

/** A file larger than this process may write (EFBIG) is not helped by waiting. */
function isFull(thrown: unknown): boolean {
  const { code, message } = toFailure(thrown);
  return code === "storage_full" && !/EFBIG|too large/i.test(message);
}
