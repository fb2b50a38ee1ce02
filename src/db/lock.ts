import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { Fault } from "../protocol/failure.ts";
import { toFault } from "./complaint.ts";

/**
 * One owner per data folder. The lock is a lock of the operating system (SQLite's on an empty file), so it ends with
 * its process however that dies, and nobody ever has to judge whether a pid is alive, reused, or in another container.
 * `owner.json` beside it only says who holds it. Never stolen, never timed out.
 */
export interface FolderLock extends Disposable {
  /** Says where others can speak with the holder. */
  announce(socket: string): void;
  release(): void;
}

const owner = z.object({
  pid: z.number().int(),
  command: z.string(),
  started_at: z.string(),
  /** Where it can be spoken with; absent while it cannot. */
  socket: z.string().optional(),
});
export type FolderOwner = z.infer<typeof owner>;

/** Who says that it holds the folder; it may have gone since. */
export function readOwner(folder: string): FolderOwner | undefined {
  return ownerOf(join(folder, "owner.json"));
}

/** Throws Fault `locked` naming the owner, or `read_only`. The folder is made when it does not exist. */
export async function lockFolder(
  folder: string,
  taker: { pid: number; command: string; startedAt: Date },
): Promise<FolderLock> {
  const note = join(folder, "owner.json");
  const held = take(folder, note);
  const who: FolderOwner = { pid: taker.pid, command: taker.command, started_at: taker.startedAt.toISOString() };
  try {
    write(note, who);
  } catch (thrown) {
    held.close();
    throw thrown;
  }
  const release = () => {
    if (!held.isOpen) return;
    rmSync(note, { force: true });
    held.close();
  };
  return { announce: (socket) => write(note, { ...who, socket }), release, [Symbol.dispose]: release };
}

function write(note: string, who: FolderOwner): void {
  writeFileSync(`${note}.new`, `${JSON.stringify(who)}\n`, { mode: 0o600 });
  renameSync(`${note}.new`, note);
}

function take(folder: string, note: string): DatabaseSync {
  let file: DatabaseSync | undefined;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    file = new DatabaseSync(join(folder, "lock"));
    file.exec("begin exclusive");
    return file;
  } catch (thrown) {
    file?.close();
    throw isBusy(thrown) ? locked(folder, note) : unlockable(folder, thrown);
  }
}

/**
 * Does `work` while no other process, nor anything else in this one, holds the lock of that file, which is made empty
 * and stays. Throws Fault `locked` when somebody has held it for 10 s, as nobody does whose changes take milliseconds, or
 * for `patienceMs`.
 */
export async function withFileLock<T>(file: string, work: () => Promise<T>, patienceMs = 10_000): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const held = tryHold(file);
    if (held) return work().finally(() => held.close());
    if (performance.now() > deadline) {
      throw new Fault("locked", `${file} has been held by another process for ${patienceMs / 1_000} s`, {
        remedy: "look for a command that hangs, end it, and run this again",
      });
    }
    await wait(10);
  }
}

function tryHold(file: string): DatabaseSync | undefined {
  let held: DatabaseSync | undefined;
  try {
    held = new DatabaseSync(file);
    held.exec("begin exclusive");
    return held;
  } catch (thrown) {
    held?.close();
    if (isBusy(thrown)) return undefined;
    throw toFault(thrown, { what: "lock", on: file });
  }
}

/** SQLITE_BUSY: another connection holds it. */
function isBusy(thrown: unknown): boolean {
  return thrown instanceof Error && "errcode" in thrown && thrown.errcode === 5;
}

function locked(folder: string, note: string): Fault {
  const who = ownerOf(note);
  const name = who ? `process ${who.pid} (${who.command}, since ${who.started_at})` : "another process";
  return new Fault("locked", `${folder} is in use by ${name}`, {
    remedy: `wait until it ends${who ? `, or stop it (kill ${who.pid})` : ""}; or use another SHEAF_HOME`,
  });
}

function ownerOf(note: string): FolderOwner | undefined {
  try {
    return owner.parse(JSON.parse(readFileSync(note, "utf8")));
  } catch {
    return undefined;
  }
}

function unlockable(folder: string, thrown: unknown): Fault {
  const fault = toFault(thrown, { what: "lock the data folder", on: folder });
  if (fault.code !== "internal") return fault;
  return new Fault("read_only", fault.message, {
    remedy: "SHEAF_HOME must be a local folder that can be written; check who owns it, or point SHEAF_HOME elsewhere",
    cause: thrown,
  });
}
